/** What box and station have told each other, by days of Vietnam. Pure. */

/** Bytes of MQTT: what TLS, TCP and IP add on the line is not in them. */
export type Traffic = { readonly sentBytes: number; readonly receivedBytes: number };
export type TrafficDays = Readonly<Record<string, Traffic>>;

export const noTraffic: Traffic = { sentBytes: 0, receivedBytes: 0 };
/** This month and the one before it. */
const keptDays = 62;

export const sumTraffic = (a: Traffic, b: Traffic): Traffic => ({
  ...{ sentBytes: a.sentBytes + b.sentBytes, receivedBytes: a.receivedBytes + b.receivedBytes },
});

/** As it stands in the store. */
export const trafficOf = (note: string | null): TrafficDays => JSON.parse(note ?? "{}") as TrafficDays;

/** The days with `more` on one of them; the oldest go. */
export function addTraffic(days: TrafficDays, day: string, more: Traffic): TrafficDays {
  const all = { ...days, [day]: sumTraffic(days[day] ?? noTraffic, more) };
  const kept = Object.keys(all).sort().slice(-keptDays);
  return Object.fromEntries(kept.map((name) => [name, all[name] ?? noTraffic]));
}

/** The days whose names begin with `prefix` (a day, a month) in one. */
export const trafficIn = (days: TrafficDays, prefix: string): Traffic =>
  Object.entries(days).reduce((sum, [day, traffic]) => (day.startsWith(prefix) ? sumTraffic(sum, traffic) : sum), noTraffic);
