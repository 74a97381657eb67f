// Memory per idle session: many connections that have logged in (and run one query), and what they add to the proxy.
import { createConnection } from "mysql2/promise";
import { memoryKib, treeOf } from "./processes.mjs";
import { account } from "./systems.mjs";

/** KiB per session: the slope between `few` and `many` sessions, so that what the first ones warm up does not count. */
export async function idleSessionKib(system, { few, many }) {
  const open = [];
  const openUpTo = async (count) => {
    while (open.length < count) {
      const batch = Array.from({ length: Math.min(20, count - open.length) }, async () => {
        const connection = await createConnection({ host: "127.0.0.1", port: system.port, ...account });
        await connection.query("SELECT 1");
        return connection;
      });
      open.push(...(await Promise.all(batch)));
    }
    // Waits until the proxy has calmed down: no change of more than 1 % between two looks.
    let last = 0;
    for (let looks = 0; looks < 50; looks++) {
      const now = memoryKib(treeOf(system.pid));
      if (Math.abs(now - last) < now / 100) return now;
      last = now;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return last;
  };
  try {
    const atFew = await openUpTo(few);
    const atMany = await openUpTo(many);
    return (atMany - atFew) / (many - few);
  } finally {
    for (const connection of open) connection.destroy();
  }
}
