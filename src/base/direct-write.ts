// Writes to a socket's handle without the queues, callbacks and ticks of Node's streams: each chunk that is relayed costs
// a microsecond less. Handles and their write requests are undocumented, so the class of the requests is learnt from
// one write of Node's own; where anything looks different, all writes go through the streams.

import type net from "node:net";
import { getSystemErrorName } from "node:util";

/** Who writes. */
export interface DirectWriter {
  /** A write that was queued is over: the kernel has taken its `bytes`, or the connection is closed. */
  onWritten(bytes: number): void;
}

/** What Node's streams hand to a handle with every write ("WriteWrap"). */
interface WriteRequest {
  handle?: StreamHandle;
  buffer?: Uint8Array;
  oncomplete?: () => void;
  /** -1 until libuv keeps the request, because the kernel did not take everything at once. */
  getAsyncId(): number;
}

interface StreamHandle {
  /** Writes at once what the kernel takes, queues the rest. 0, or a negative error number of libuv. */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
}

const NOT_KEPT = -1;

let requestClass: (new () => WriteRequest) | null = null;
let isLearnt = false;
/** A request that nobody keeps serves the next write as well. */
let spare: WriteRequest | null = null;

/**
 * Writes `bytes` behind everything that was written before. `taken`: the kernel has all of it. `queued`: they must stay
 * as they are until `writer.onWritten`. `streamed`: the stream has them, its `writableLength` tells. An Error: the
 * connection is broken, and the caller destroys the socket.
 */
export function writeTo(
  socket: net.Socket,
  bytes: Uint8Array,
  writer: DirectWriter,
): "taken" | "queued" | "streamed" | Error {
  const handle = (socket as net.Socket & { _handle?: StreamHandle | null })._handle;
  // What the stream holds goes first; what comes behind its end is its to refuse.
  const isFree = socket.writable && !socket.connecting && socket.writableLength === 0;
  if (!isFree || handle === null || handle === undefined || (isLearnt && requestClass === null)) {
    socket.write(bytes);
    return "streamed";
  }
  if (requestClass === null) {
    learnFrom(handle, () => socket.write(bytes));
    return "streamed";
  }
  const request = spare ?? new requestClass();
  spare = request;
  const code = handle.writeBuffer(request, bytes);
  if (code !== 0) {
    spare = null;
    return brokenBy(code);
  }
  if (request.getAsyncId() === NOT_KEPT) return "taken";
  spare = null;
  request.handle = handle;
  request.buffer = bytes;
  const onComplete = (): void => writer.onWritten(bytes.length);
  request.oncomplete = onComplete;
  return "queued";
}

/** Looks once at what Node hands to the handle. */
function learnFrom(handle: StreamHandle, write: () => void): void {
  isLearnt = true;
  const { writeBuffer } = handle;
  if (typeof writeBuffer !== "function") {
    write();
    return;
  }
  const look: StreamHandle["writeBuffer"] = (request, bytes) => {
    const made = request.constructor;
    if (made !== Object) requestClass = made as new () => WriteRequest;
    return writeBuffer.call(handle, request, bytes);
  };
  handle.writeBuffer = look;
  write();
  handle.writeBuffer = writeBuffer;
  if (requestClass !== null && !isAsExpected(new requestClass())) requestClass = null;
}

function isAsExpected(request: WriteRequest): boolean {
  return typeof request.getAsyncId === "function" && request.getAsyncId() === NOT_KEPT;
}

function brokenBy(code: number): Error {
  const name = getSystemErrorName(code);
  return Object.assign(new Error(`write ${name}`), { code: name, errno: code, syscall: "write" });
}
