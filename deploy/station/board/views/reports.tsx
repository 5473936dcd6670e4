/** The place of the reports. */
import type { View } from "./view.ts";

export const ReportsScreen = ({ view }: { readonly view: View }) => (
  <article>
    <h2>{view.words.reports.title}</h2>
    <p>{view.words.reports.notYet}</p>
  </article>
);
