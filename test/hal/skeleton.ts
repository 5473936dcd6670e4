/** Is anybody at home: one TCP connect to a household's router. */
import { connect } from "node:net";
import type { Knock } from "../../hal/ports.ts";

export function makeKnock(port: number): Knock {
  return {
    knock: (url, timeoutMs, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) {
          resolve(false);
          return;
        }
        const socket = connect({ host: new URL(url).hostname, port });
        const done = (answered: boolean) => {
          signal.removeEventListener("abort", stop);
          socket.destroy();
          resolve(answered);
        };
        const stop = () => done(false);
        signal.addEventListener("abort", stop, { once: true });
        socket.setTimeout(timeoutMs, stop);
        socket.once("connect", () => done(true));
        socket.once("error", stop);
      }),
  };
}
