/** How the box's own wifi does: numbers of the last minute. They say nothing of a camera's wifi. Pure. */
import { fill, type Language, wordsIn } from "./words.ts";

export type WifiFacts = {
  readonly signalDbm: number | null;
  /** Sent once more, for each hundred packets sent; may pass 100. null: the card does not count, or too little was sent. */
  readonly retriesPercent: number | null;
  /** The best rate at which packets left lately. */
  readonly bitrateMbps: number | null;
};

/** Its numbers in words, those that are known. */
export function wifiText({ signalDbm, retriesPercent, bitrateMbps }: WifiFacts, language: Language): string {
  const { wifi } = wordsIn(language);
  const number = (value: number) =>
    String(value)
      .replace(".", language === "vi" ? "," : ".")
      .replace("-", "−");
  return [
    ...(signalDbm === null ? [] : [fill(wifi.signal, { dbm: number(signalDbm) })]),
    ...(retriesPercent === null ? [] : [fill(wifi.retries, { percent: number(retriesPercent) })]),
    ...(bitrateMbps === null ? [] : [fill(wifi.bitrate, { rate: number(bitrateMbps) })]),
  ].join(", ");
}
