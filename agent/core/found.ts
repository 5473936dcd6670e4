/** What a survey of the networks tells of a camera, and what is guessed of one that tells nothing. Pure. */
import { plain } from "./told.ts";

/** A stream of a found camera. */
export type FoundStream = {
  readonly token: string;
  readonly codec: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly fps: number | null;
  /** rtsp:// without credential. */
  readonly url: string | null;
};
/** Why a found camera did not tell all: as its ONVIF or RTSP side says, or `no-stream` where none of the usual addresses leads to one. */
export type FoundProblem = "password" | "timeout" | "refused" | "fault" | "nonsense" | "unsupported" | "stopped" | "no-stream";
export type FoundCamera = {
  readonly address: string;
  /** Of its ONVIF service; null where it has none that answers. */
  readonly xaddr: string | null;
  readonly make: string | null;
  readonly model: string | null;
  readonly serial: string | null;
  readonly mac: string | null;
  readonly firmware: string | null;
  /** Its clock minus the box's; null where it does not tell, or was never set. */
  readonly clockOffsetMs: number | null;
  readonly profiles: readonly FoundStream[];
  readonly problem: FoundProblem | null;
};

/** Addresses of streams by make, for cameras without ONVIF: paths as the makers' manuals give them. None holds a password. */
type Usual = { readonly hint: RegExp; readonly main: string; readonly sub: string | null };
const usual: readonly Usual[] = [
  { hint: /hikvision|ip camera\(|hipcam/i, main: "/Streaming/Channels/101", sub: "/Streaming/Channels/102" },
  {
    hint: /dahua|kbvision|imou|login to/i,
    main: "/cam/realmonitor?channel=1&subtype=0",
    sub: "/cam/realmonitor?channel=1&subtype=1",
  },
  { hint: /tp-?link|tapo|vigi/i, main: "/stream1", sub: "/stream2" },
  { hint: /uniview|unv/i, main: "/media/video1", sub: "/media/video2" },
  { hint: /ezviz/i, main: "/h264/ch1/main/av_stream", sub: "/h264/ch1/sub/av_stream" },
  { hint: /reolink/i, main: "/h264Preview_01_main", sub: "/h264Preview_01_sub" },
  { hint: /hanwha|samsung|wisenet/i, main: "/profile2/media.smp", sub: "/profile3/media.smp" },
  { hint: /axis/i, main: "/axis-media/media.amp", sub: null },
];

/** What to try of a server that calls itself `server`: the make it names first. */
export function usualStreams(server: string): readonly Pick<Usual, "main" | "sub">[] {
  return [...usual.filter(({ hint }) => hint.test(server)), ...usual.filter(({ hint }) => !hint.test(server))];
}

/** A camera has up to three streams; what has more is a recorder of several cameras. */
const mostStreams = 3;
export const isRecorder = ({ profiles }: Pick<FoundCamera, "profiles">): boolean => profiles.length > mostStreams;

/** The stream to record and the one for a weak line: the largest picture, and the smallest of another. Of a recorder's streams none is taken for a smaller one of another: they show different places. */
export function streamsOf(profiles: readonly FoundStream[]): { readonly main: string | null; readonly fallback: string | null } {
  const area = ({ width, height }: FoundStream) => (width ?? 0) * (height ?? 0);
  const withUrl = profiles.filter(({ url }) => url !== null);
  const [main] = [...withUrl].sort((a, b) => area(b) - area(a));
  if (main === undefined || isRecorder({ profiles })) return { main: main?.url ?? null, fallback: null };
  const others = withUrl.filter(({ url }) => url !== main.url);
  const [smallest] = others.filter((stream) => area(stream) > 0 && area(stream) < area(main)).sort((a, b) => area(a) - area(b));
  // Where sizes are not told the makers' order counts: the main stream, then the smaller one.
  const [untold] = others.filter((stream) => area(stream) === 0);
  return { main: main.url, fallback: (smallest ?? untold)?.url ?? null };
}

/** As the configuration has it. */
export const mostIdChars = 32;
const mostNameChars = 500;

/** What a camera is called before a person names it. */
export const nameFor = ({ make, model, address }: FoundCamera): string =>
  `${[make, model].filter((text) => text !== null).join(" ") || "Camera"} (${address})`.replace(/\p{C}+/gu, " ").slice(0, mostNameChars);

/** Make, model and the end of the address in the alphabet of ids, as short as they must be and no other's. */
export function idFor({ make, model, address }: FoundCamera, taken: ReadonlySet<string>): string {
  const parts = address.split(".");
  const base = slugOf([make, model].filter((text) => text !== null).join(" ")) || "cam";
  const endings = [parts.slice(3), parts.slice(2), parts].map((list) => list.join("-"));
  const tries = [...endings, ...Array.from({ length: taken.size + 1 }, (_, n) => `${endings[0]}-${n + 2}`)];
  const ids = tries.map((ending) => `${base.slice(0, mostIdChars - ending.length - 1).replace(/-+$/, "")}-${ending}`);
  return ids.find((id) => !taken.has(id)) ?? ids[0] ?? base;
}

/** A text in the alphabet of ids; empty where nothing of it fits. */
export const slugOf = (text: string): string =>
  plain(text)
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
