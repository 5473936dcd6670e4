/** How cameras of several makes word their ONVIF answers: written after their habits, with no bytes of theirs. */

export type Make = "hikvision" | "dahua" | "xm";
export type MakeProfile = {
  readonly token: string;
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** null: it leaves RateControl out. */
  readonly fps: number | null;
};
export type MakeFacts = {
  readonly manufacturer: string;
  readonly model: string;
  readonly firmware: string;
  readonly serial: string;
  /** As it writes it. */
  readonly hardwareAddress: string;
  readonly timeZone: string;
  /** GetServices is known; else GetCapabilities alone. */
  readonly hasServices: boolean;
  readonly hasMedia2: boolean;
  readonly hasEvents: boolean;
  readonly profiles: readonly MakeProfile[];
  stream(host: string, index: number): string;
  snapshot(host: string, index: number): string | null;
  /** HTTP status of its faults. */
  readonly faultStatus: number;
  /** Our prefixes in its own dress; "" is the default namespace. */
  readonly prefixes: Readonly<Record<string, string>>;
};

export const makes: Readonly<Record<Make, MakeFacts>> = {
  hikvision: {
    manufacturer: "HIKVISION",
    model: "DS-2CD2143G2-I",
    firmware: "V5.7.3 build 220112",
    serial: "DS-2CD2143G2-I20220310AAWRJ12345678",
    hardwareAddress: "2c:a5:9c:01:02:03",
    timeZone: "CST-7:00:00",
    hasServices: true,
    hasMedia2: true,
    hasEvents: true,
    profiles: [
      { token: "Profile_1", codec: "H265", width: 2688, height: 1520, fps: 25 },
      { token: "Profile_2", codec: "H264", width: 640, height: 360, fps: 12.5 },
    ],
    stream: (host, index) => `rtsp://${host}:554/Streaming/Channels/10${index + 1}?transportmode=unicast&profile=Profile_${index + 1}`,
    snapshot: (host, index) => `http://${host}/onvif-http/snapshot?Profile_${index + 1}`,
    faultStatus: 400,
    prefixes: { s: "env" },
  },
  dahua: {
    manufacturer: "Dahua",
    model: "IPC-HFW2431S-S-S2",
    firmware: "2.800.0000000.16.R, Build Date 2021-08-25",
    serial: "6J0D1B2PAG00001",
    hardwareAddress: "9C-14-63-0A-0B-0C",
    timeZone: "ICT-7",
    hasServices: true,
    hasMedia2: false,
    hasEvents: true,
    profiles: [
      { token: "MediaProfile000", codec: "H264", width: 2560, height: 1440, fps: 20 },
      { token: "MediaProfile001", codec: "H264", width: 704, height: 576, fps: 15 },
      { token: "MediaProfile002", codec: "JPEG", width: 704, height: 576, fps: 1 },
    ],
    stream: (host, index) => `rtsp://${host}:554/cam/realmonitor?channel=1&subtype=${index}&unicast=true&proto=Onvif`,
    snapshot: (host, index) => `http://${host}/onvifsnapshot/media_service/snapshot?channel=1&subtype=${index}`,
    faultStatus: 400,
    prefixes: {},
  },
  xm: {
    manufacturer: "H264",
    model: "XMeye",
    firmware: "V4.03.R11.00030695.10010.147502.00000",
    serial: "",
    hardwareAddress: "00121361A2B3",
    timeZone: "GMT-07:00",
    hasServices: false,
    hasMedia2: false,
    hasEvents: false,
    profiles: [
      { token: "000", codec: "H264", width: 1920, height: 1080, fps: null },
      { token: "001", codec: "H264", width: 704, height: 576, fps: null },
    ],
    stream: (host, index) => `rtsp://${host}:554/user=admin_password=tlJwpbo6_channel=1_stream=${index}.sdp?real_stream`,
    snapshot: () => null,
    faultStatus: 200,
    prefixes: { s: "SOAP-ENV", tds: "", trt: "ns4", tt: "ns2", ter: "ns9" },
  },
};

export const escaped = (text: string) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

const namespaces = {
  s: "http://www.w3.org/2003/05/soap-envelope",
  tds: "http://www.onvif.org/ver10/device/wsdl",
  trt: "http://www.onvif.org/ver10/media/wsdl",
  tr2: "http://www.onvif.org/ver20/media/wsdl",
  tev: "http://www.onvif.org/ver10/events/wsdl",
  tt: "http://www.onvif.org/ver10/schema",
  ter: "http://www.onvif.org/ver10/error",
  tns1: "http://www.onvif.org/ver10/topics",
  wsa: "http://www.w3.org/2005/08/addressing",
  wsnt: "http://docs.oasis-open.org/wsn/b-2",
};

/** A whole envelope in the make's own prefixes. */
export function envelope(facts: MakeFacts, body: string): string {
  const declared = Object.entries(namespaces).map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`);
  const xml = `<s:Envelope${declared.join("")}><s:Header/><s:Body>${body}</s:Body></s:Envelope>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${Object.entries(facts.prefixes).reduce(dress, xml)}`;
}

function dress(xml: string, [prefix, own]: readonly [string, string]): string {
  const colon = own === "" ? "" : `${own}:`;
  return xml
    .replaceAll(`xmlns:${prefix}=`, own === "" ? "xmlns=" : `xmlns:${own}=`)
    .replaceAll(`<${prefix}:`, `<${colon}`)
    .replaceAll(`</${prefix}:`, `</${colon}`)
    .replaceAll(`>${prefix}:`, `>${colon}`);
}

/** A SOAP 1.2 fault as ONVIF's core specification words it; the reason carries xml:lang, as everybody's does. */
export function fault(code: string, subcodes: readonly string[], reason: string): string {
  const nested = subcodes.reduceRight((inner, value) => `<s:Subcode><s:Value>${value}</s:Value>${inner}</s:Subcode>`, "");
  return `<s:Fault><s:Code><s:Value>${code}</s:Value>${nested}</s:Code><s:Reason><s:Text xml:lang="en">${escaped(reason)}</s:Text></s:Reason></s:Fault>`;
}
export const notAuthorized = fault(
  "s:Sender",
  ["ter:NotAuthorized"],
  "The action requested requires authorization and the sender is not authorized",
);
export const notSupported = fault("s:Receiver", ["ter:ActionNotSupported"], "Optional Action Not Implemented");

const two = (value: number) => String(value).padStart(2, "0");

function dateTime(tag: string, at: Date): string {
  const time = `<tt:Time><tt:Hour>${at.getUTCHours()}</tt:Hour><tt:Minute>${at.getUTCMinutes()}</tt:Minute><tt:Second>${two(at.getUTCSeconds())}</tt:Second></tt:Time>`;
  const date = `<tt:Date><tt:Year>${at.getUTCFullYear()}</tt:Year><tt:Month>${at.getUTCMonth() + 1}</tt:Month><tt:Day>${at.getUTCDate()}</tt:Day></tt:Date>`;
  return `<tt:${tag}>${time}${date}</tt:${tag}>`;
}

const zoneMs = 7 * 3_600_000;

/** What a make answers to one operation; null: it does not know it. */
export function answer(
  facts: MakeFacts,
  operation: string,
  at: { readonly clockMs: number; readonly origin: string; readonly host: string; readonly token: string },
): string | null {
  const { origin, host, token } = at;
  const index = Math.max(
    0,
    facts.profiles.findIndex((profile) => profile.token === token),
  );
  const isKnown = facts.profiles.some((profile) => profile.token === token);
  switch (operation) {
    case "GetSystemDateAndTime":
      return `<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>${facts.timeZone}</tt:TZ></tt:TimeZone>${dateTime("UTCDateTime", new Date(at.clockMs))}${dateTime("LocalDateTime", new Date(at.clockMs + zoneMs))}</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`;
    case "SetSystemDateAndTime":
      return "<tds:SetSystemDateAndTimeResponse/>";
    case "GetDeviceInformation":
      return `<tds:GetDeviceInformationResponse><tds:Manufacturer>${facts.manufacturer}</tds:Manufacturer><tds:Model>${facts.model}</tds:Model><tds:FirmwareVersion>${facts.firmware}</tds:FirmwareVersion><tds:SerialNumber>${facts.serial}</tds:SerialNumber><tds:HardwareId>88</tds:HardwareId></tds:GetDeviceInformationResponse>`;
    case "GetNetworkInterfaces":
      return `<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled><tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>${facts.hardwareAddress}</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info></tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>`;
    case "GetServices":
      return facts.hasServices ? services(facts, origin) : null;
    case "GetCapabilities":
      return capabilities(facts, origin);
    case "GetVideoSources":
      return `<trt:GetVideoSourcesResponse><trt:VideoSources token="VideoSource_1"><tt:Framerate>25</tt:Framerate><tt:Resolution><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution></trt:VideoSources></trt:GetVideoSourcesResponse>`;
    case "trt:GetProfiles":
      return `<trt:GetProfilesResponse>${facts.profiles.map(mediaProfile).join("")}</trt:GetProfilesResponse>`;
    case "tr2:GetProfiles":
      return facts.hasMedia2 ? `<tr2:GetProfilesResponse>${facts.profiles.map(media2Profile).join("")}</tr2:GetProfilesResponse>` : null;
    case "trt:GetStreamUri":
      return isKnown ? `<trt:GetStreamUriResponse>${mediaUri(facts.stream(host, index))}</trt:GetStreamUriResponse>` : null;
    case "tr2:GetStreamUri":
      return isKnown
        ? `<tr2:GetStreamUriResponse><tr2:Uri>${escaped(facts.stream(host, index))}</tr2:Uri></tr2:GetStreamUriResponse>`
        : null;
    case "trt:GetSnapshotUri":
    case "tr2:GetSnapshotUri": {
      const url = isKnown ? facts.snapshot(host, index) : null;
      if (url === null) return null;
      const prefix = operation.slice(0, 3);
      const uri = prefix === "trt" ? mediaUri(url) : `<tr2:Uri>${escaped(url)}</tr2:Uri>`;
      return `<${prefix}:GetSnapshotUriResponse>${uri}</${prefix}:GetSnapshotUriResponse>`;
    }
    default:
      return null;
  }
}

const mediaUri = (url: string) =>
  `<trt:MediaUri><tt:Uri>${escaped(url)}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT60S</tt:Timeout></trt:MediaUri>`;

function services(facts: MakeFacts, origin: string): string {
  const one = (uri: string, path: string) =>
    `<tds:Service><tds:Namespace>${uri}</tds:Namespace><tds:XAddr>${origin}/onvif/${path}</tds:XAddr><tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>`;
  const offered = [
    one(namespaces.tds, "device_service"),
    one(namespaces.trt, "Media"),
    ...(facts.hasMedia2 ? [one(namespaces.tr2, "Media2")] : []),
    ...(facts.hasEvents ? [one(namespaces.tev, "Events")] : []),
  ];
  return `<tds:GetServicesResponse>${offered.join("")}</tds:GetServicesResponse>`;
}

function capabilities(facts: MakeFacts, origin: string): string {
  const one = (name: string, path: string) => `<tt:${name}><tt:XAddr>${origin}/onvif/${path}</tt:XAddr></tt:${name}>`;
  const events = facts.hasEvents ? one("Events", "Events") : "";
  return `<tds:GetCapabilitiesResponse><tds:Capabilities>${one("Device", "device_service")}${events}${one("Media", "Media")}</tds:Capabilities></tds:GetCapabilitiesResponse>`;
}

const resolution = ({ width, height }: MakeProfile) =>
  `<tt:Resolution><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:Resolution>`;
const rate = ({ fps }: MakeProfile) =>
  fps === null
    ? ""
    : `<tt:RateControl><tt:FrameRateLimit>${fps}</tt:FrameRateLimit><tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl>`;

function mediaProfile(profile: MakeProfile): string {
  const source = `<tt:VideoSourceConfiguration token="VideoSourceToken"><tt:Name>VideoSourceConfig</tt:Name><tt:SourceToken>VideoSource_1</tt:SourceToken></tt:VideoSourceConfiguration>`;
  // Media knows H.264 at most: an H.265 stream goes by H264 there.
  const encoding = profile.codec === "H265" ? "H264" : profile.codec;
  return `<trt:Profiles fixed="true" token="${profile.token}"><tt:Name>${profile.token}</tt:Name>${source}<tt:VideoEncoderConfiguration token="Encoder_${profile.token}"><tt:Name>enc</tt:Name><tt:Encoding>${encoding}</tt:Encoding>${resolution(profile)}${rate(profile)}</tt:VideoEncoderConfiguration></trt:Profiles>`;
}

function media2Profile(profile: MakeProfile): string {
  return `<tr2:Profiles token="${profile.token}" fixed="true"><tr2:Name>${profile.token}</tr2:Name><tr2:Configurations><tr2:VideoSource token="VideoSourceToken"><tt:Name>src</tt:Name><tt:SourceToken>VideoSource_1</tt:SourceToken></tr2:VideoSource><tr2:VideoEncoder token="Encoder_${profile.token}"><tt:Name>enc</tt:Name><tt:Encoding>${profile.codec}</tt:Encoding>${resolution(profile)}${rate(profile)}</tr2:VideoEncoder></tr2:Configurations></tr2:Profiles>`;
}
