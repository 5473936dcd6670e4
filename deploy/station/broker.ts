/** Mosquitto's configuration. Pure; the figures are measured in its failures: a default Mosquitto drops and forgets without a word. */
import { filesOf, type Place } from "./place.ts";
import type { Register } from "./register.ts";

/** The account of a broker that is started by hand as root: Mosquitto would take its own, which cannot write the folder. */
export function brokerText(place: Place, { ports }: Register, account: string): string {
  const files = filesOf(place);
  const sections: readonly (readonly string[])[] = [
    [
      "# Made from station.json; what is written here by hand is lost.",
      `user ${account}`,
      `pid_file ${files.brokerProcess}`,
      "log_dest stderr",
      "log_type error",
      "log_type warning",
      "log_type notice",
    ],
    [
      "# What is retained outlives a power cut, at most a minute old: the boxes tell it again.",
      "persistence true",
      `persistence_location ${place.data}/`,
      "autosave_interval 60",
      "# Beyond its default of 1,000 Mosquitto drops without a word, after it has confirmed.",
      "max_queued_messages 100000",
      "max_queued_bytes 67108864",
      "persistent_client_expiration 14d",
      "# A box throws away what is larger.",
      "message_size_limit 65536",
    ],
    ["allow_anonymous false", `password_file ${files.passwords}`, `acl_file ${files.rights}`],
    [
      "# The boxes: who they are says their certificate, whatever name they give.",
      `listener ${ports.mqtts}`,
      `cafile ${files.ca}`,
      `certfile ${files.brokerCertificate}`,
      `keyfile ${files.brokerKey}`,
      `crlfile ${files.revoked}`,
      "tls_version tlsv1.2",
      "require_certificate true",
      "use_identity_as_username true",
      "use_username_as_clientid true",
    ],
    [
      "# The people, through nginx. Debian 12's Mosquitto ignores the address here: the firewall closes the port.",
      `listener ${ports.websocket} 127.0.0.1`,
      "protocol websockets",
    ],
  ];
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}
