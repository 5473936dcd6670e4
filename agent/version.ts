/** The version of this agent, as package.json names it. */
export const version = "0.1.0";
