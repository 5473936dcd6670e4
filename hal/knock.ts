/** A knock at a camera's RTSP port: one TCP connect, closed at once. Never a second RTSP session. */
import { connect } from "node:net";
import type { Knock } from "./ports.ts";

const rtspPort = 554;
const rtspsPort = 322;

export const knock: Knock = {
  knock: (url, timeoutMs, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve(false);
      const { hostname, port, protocol } = new URL(url);
      const socket = connect({
        host: hostname.replace(/^\[|\]$/g, ""),
        port: Number(port) || (protocol === "rtsps:" ? rtspsPort : rtspPort),
      });
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
