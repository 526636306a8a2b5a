// The table block, drawn here: slack-blocks-to-jsx knows no raw_number cells and no header row.

import { RichText } from "./blocks";
import type { Block, Cell } from "./sandbox";

export function Table({ block }: { block: Block }) {
  const [head, ...rows] = block.rows ?? [];
  const style = (column: number) => {
    const settings = block.column_settings?.[column];
    return { textAlign: settings?.align, whiteSpace: settings?.is_wrapped ? ("normal" as const) : ("nowrap" as const) };
  };
  return (
    <div className="table" tabIndex={0} role="group" aria-label="Table">
      <table>
        <thead>
          <tr>{head?.map((cell, column) => <th key={column} scope="col" style={style(column)}><Content cell={cell} /></th>)}</tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => <td key={column} style={style(column)}><Content cell={cell} /></td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Content({ cell }: { cell: Cell }) {
  if (cell.type === "raw_text") return cell.text;
  if (cell.type === "raw_number") return cell.text ?? String(cell.value);
  return <RichText cell={cell} />;
}
