/** The configuration that the agent is started with where nobody names another. */
export const usualFile = "/etc/matghi/site.yaml";
