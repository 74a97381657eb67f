// One end of a byte stream as the relay wants it: chunks in by callback, chunks out by write, both with
// backpressure. It knows no protocol. Implementations: over a net.Socket read into a fixed buffer, and over any Duplex
// (TLS sockets, test pairs).

/** Receives what arrives on a channel. One receiver at a time; calls come one after the other, never nested. */
export interface ByteReceiver {
  /**
   * `chunk` is valid only during the call (its memory may be read into again afterwards): copy what must stay.
   * The receiver stops the flow with {@link ByteChannel.pause}.
   */
  onBytes(chunk: Uint8Array): void;
  /** The peer ended its side, or the stream failed; called once. `error` is null after an orderly end. */
  onClosed(error: Error | null): void;
}

/** A duplex stream of bytes. */
export interface ByteChannel {
  /** Replaces the receiver. Bytes that arrived while there was none were not read from the kernel. */
  setReceiver(receiver: ByteReceiver): void;
  /**
   * Sends `chunk`. The kernel has taken all of it when the result is true; otherwise the channel still refers to the
   * chunk's memory until {@link whenWritable} fires, so the caller must not reuse that memory before.
   */
  write(chunk: Uint8Array): boolean;
  /** Calls back once, when everything written so far was handed to the kernel (or the channel closed). */
  whenWritable(callback: () => void): void;
  /** Bytes accepted by {@link write} and not yet handed to the kernel. */
  readonly unwrittenBytes: number;
  pause(): void;
  resume(): void;
  /** Ends after what was written is flushed. */
  end(): void;
  /** Ends now. The receiver's onClosed follows. */
  destroy(error?: Error): void;
  readonly closed: boolean;
}
