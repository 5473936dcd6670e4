/** The broker's own login. What is typed stays in memory, as long as the page is open. */
import { useState } from "preact/hooks";
import type { Link, Login } from "../broker.ts";
import { communeOrNull, type Place } from "../place.ts";
import type { View } from "./view.ts";

export type Entry = { readonly commune: string; readonly login: Login | null };

type Props = { readonly place: Place; readonly link: Link | null; readonly view: View; readonly onEnter: (entry: Entry) => void };

export function LoginScreen({ place, link, view, onEnter }: Props) {
  const { login: words } = view.words;
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [commune, setCommune] = useState(place.commune ?? "");
  const submit = (event: Event) => {
    event.preventDefault();
    const known = communeOrNull(commune);
    if (known !== null) onEnter({ commune: known, login: place.asksLogin ? { user, password } : null });
  };
  const problem = link?.kind === "refused" ? words.refused : link?.kind === "lost" ? words.unreachable : null;
  return (
    <form class="login" onSubmit={submit}>
      <h1>{view.words.title}</h1>
      {place.name === null ? null : <p>{place.name}</p>}
      <h2>{words.title}</h2>
      {place.commune === null ? (
        <label>
          {words.commune}
          <input required pattern="[a-z0-9\-]{2,32}" value={commune} onInput={({ currentTarget }) => setCommune(currentTarget.value)} />
          <small>{words.communeHint}</small>
        </label>
      ) : null}
      {place.asksLogin ? (
        <>
          <label>
            {words.user}
            <input required autocomplete="username" value={user} onInput={({ currentTarget }) => setUser(currentTarget.value)} />
          </label>
          <label>
            {words.password}
            <input
              required
              type="password"
              autocomplete="current-password"
              value={password}
              onInput={({ currentTarget }) => setPassword(currentTarget.value)}
            />
          </label>
        </>
      ) : null}
      <button type="submit">{link?.kind === "connecting" ? words.connecting : words.submit}</button>
      {problem === null ? null : (
        <p role="alert" class="doubt">
          {problem}
        </p>
      )}
      <small>{words.private}</small>
    </form>
  );
}
