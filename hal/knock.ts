/** A knock at a camera's RTSP port: one TCP connect, and at most one OPTIONS for its Date. Never a second RTSP session. */
import { connect, type Socket } from "node:net";
import type { CameraClock, Knock } from "./ports.ts";

const rtspPort = 554;
const rtspsPort = 322;
/** An OPTIONS reply is a few lines; what is longer is none. */
const mostReplyBytes = 8_192;

export const knock: Knock & CameraClock = {
  knock: (url, timeoutMs, signal) => visit(url, timeoutMs, signal, false, (_, done) => done(true)),
  clock: (url, timeoutMs, signal) => {
    const { protocol, host, pathname } = new URL(url);
    if (protocol !== "rtsp:") return Promise.resolve(null);
    return visit<number | null>(url, timeoutMs, signal, null, (socket, done) => {
      let reply = "";
      socket.setEncoding("latin1");
      socket.on("data", (chunk: string) => {
        reply += chunk;
        if (reply.includes("\r\n\r\n") || reply.length > mostReplyBytes) done(dateOf(reply));
      });
      socket.once("end", () => done(null));
      socket.write(`OPTIONS rtsp://${host}${pathname} RTSP/1.0\r\nCSeq: 1\r\n\r\n`);
    });
  },
};

function dateOf(reply: string): number | null {
  const at = Date.parse(/^Date:\s*(.+?)\s*$/im.exec(reply)?.[1] ?? "");
  return Number.isNaN(at) ? null : at;
}

/** Connects, does one thing, leaves; `otherwise` where nobody answers in time. */
function visit<T>(
  url: string,
  timeoutMs: number,
  signal: AbortSignal,
  otherwise: T,
  act: (socket: Socket, done: (result: T) => void) => void,
): Promise<T> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(otherwise);
    const { hostname, port, protocol } = new URL(url);
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port) || (protocol === "rtsps:" ? rtspsPort : rtspPort),
    });
    const done = (result: T) => {
      clearTimeout(late);
      signal.removeEventListener("abort", stop);
      socket.destroy();
      resolve(result);
    };
    const stop = () => done(otherwise);
    const late = setTimeout(stop, timeoutMs);
    signal.addEventListener("abort", stop, { once: true });
    socket.once("connect", () => act(socket, done));
    socket.once("error", stop);
  });
}
