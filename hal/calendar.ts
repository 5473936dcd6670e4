/** Calendar jobs on node-cron: at a time of day in Vietnam. Never for anything that must happen on time: a step of the clock silences it. */
import { schedule } from "node-cron";
import type { Calendar } from "./ports.ts";

const zone = "Asia/Ho_Chi_Minh";

export const calendar: Calendar = {
  daily: (hour, minute, job, signal) => {
    if (signal.aborted) return;
    const task = schedule(`${minute} ${hour} * * *`, job, { timezone: zone });
    signal.addEventListener("abort", () => void task.destroy(), { once: true });
  },
};
