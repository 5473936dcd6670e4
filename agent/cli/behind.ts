import { constants, setPriority } from "node:os";

/** Recording comes first: a command that moves much data leaves it the processor and, whose order follows from that (ionice(1)), the disk. */
export const standBehind = (): void => setPriority(constants.priority.PRIORITY_LOW);
