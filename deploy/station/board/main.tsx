/** The board: reads its place from the address, and draws. */
import "./style.css";
import { render } from "preact";
import { readPlace } from "./place.ts";
import { App } from "./views/app.tsx";

const root = document.getElementById("board");
if (root !== null) void readPlace(window.location).then((place) => render(<App place={place} />, root));
