/** The sheet on the screen, element by element as agent/core/sheetpage.ts writes it. Names are text. */
import type { Sheet } from "../../../../agent/core/sheet.ts";
import type { Section } from "../../../../agent/core/sheetblock.ts";
import { isUnder } from "../../../../agent/core/sheetpage.ts";
import type { SheetTable } from "../../../../agent/core/sheettables.ts";

export const SheetView = ({ sheet }: { readonly sheet: Sheet }) => (
  <article class="sheet">
    <h1>{sheet.title}</h1>
    {sheet.head.map((line) => (
      <p key={line} class="head">
        {line.trim()}
      </p>
    ))}
    <section class="figures">
      {sheet.figures.map((line) => (
        <p key={line} class={isUnder(line) ? "under" : undefined}>
          {line.trim()}
        </p>
      ))}
    </section>
    {sheet.sections.map((section) => (
      <Part key={section.heading} section={section} />
    ))}
    {sheet.foot.map((line) => (
      <p key={line} class="foot">
        {line}
      </p>
    ))}
  </article>
);

const Part = ({ section: { heading, lines, tables } }: { readonly section: Section }) => (
  <>
    <h2>{heading}</h2>
    {lines.map((line) => (
      <p key={line} class="text">
        - {line}
      </p>
    ))}
    {tables.map((table) => (
      <Table key={table.title} table={table} />
    ))}
  </>
);

function Table({ table: { title, rows, toTheRight, note } }: { readonly table: SheetTable }) {
  const [head = [], ...body] = rows;
  const place = (column: number) => (toTheRight.includes(column) ? "right" : undefined);
  return (
    <>
      <h3>{title}</h3>
      {body.length === 0 ? null : (
        // Wider than a phone: it can be moved with the keys as well.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached without a mouse
        <section class="wide" aria-label={title} tabIndex={0}>
          <table>
            <thead>
              <tr>
                {head.map((text, column) => (
                  <th key={column} scope="col" class={place(column)}>
                    {text}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {body.map((cells, line) => (
                <tr key={line}>
                  {cells.map((text, column) => (
                    <td key={column} class={place(column)}>
                      {text}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {note === undefined ? null : <p>{note}</p>}
    </>
  );
}
