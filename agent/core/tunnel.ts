/** A peer's end of the tunnel to its station: what the station gives it, and the file of wg-quick(8) that is made of it. Pure. */

/** Keys are WireGuard's, 32 bytes in base64; addresses are IPv4. */
export type Tunnel = {
  /** The peer's own private key; the station keeps none of it. */
  readonly key: string;
  readonly address: string;
  /** `endpoint`: host:port that the peer dials, over UDP. */
  readonly hub: { readonly key: string; readonly address: string; readonly endpoint: string };
};

/** What IPv6 asks of every line (RFC 8200, section 5): fits through PPPoE, 4G and a second tunnel around it. */
export const tunnelMtuBytes = 1_280;
/** Household routers forget a way that is silent for 30 s (RFC 4787 asks for 120, wg(8) advises 25). */
export const keepaliveSeconds = 25;

const isKey = (value: unknown) => typeof value === "string" && /^[A-Za-z0-9+/]{43}=$/.test(value);
const isAddress = (value: unknown) => typeof value === "string" && /^\d{1,3}(\.\d{1,3}){3}$/.test(value);
const isEndpoint = (value: unknown) => typeof value === "string" && /^[a-zA-Z0-9][a-zA-Z0-9.-]{0,252}:\d{1,5}$/.test(value);

/** Nothing else may get into a file whose lines wg-quick runs as root. */
export function isTunnel(value: unknown): value is Tunnel {
  const { key, address, hub } = (value ?? {}) as Record<string, unknown>;
  const { key: hubKey, address: hubAddress, endpoint } = (hub ?? {}) as Record<string, unknown>;
  return isKey(key) && isAddress(address) && isKey(hubKey) && isAddress(hubAddress) && isEndpoint(endpoint);
}

/** Only the hub is reached through it: the peer's other traffic, NTP too, goes its usual way. */
export const tunnelText = ({ key, address, hub }: Tunnel): string => `[Interface]
PrivateKey = ${key}
Address = ${address}/32
MTU = ${tunnelMtuBytes}

[Peer]
PublicKey = ${hub.key}
Endpoint = ${hub.endpoint}
AllowedIPs = ${hub.address}/32
PersistentKeepalive = ${keepaliveSeconds}
`;
