export interface Column {
  readonly name: string;
  /** `number` aligns to the right; `unseen` is for those who listen. */
  readonly is?: 'number' | 'unseen';
}

/** The heads of the columns of a table. */
export function TableHead({ columns }: { columns: readonly (string | Column)[] }) {
  return (
    <thead>
      <tr>
        {columns.map((column) => {
          const { name, is }: Column = typeof column === 'string' ? { name: column } : column;
          return (
            <th key={name} scope="col" class={is === 'number' ? is : undefined}>
              {is === 'unseen' ? <span class={is}>{name}</span> : name}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

/** A column of numbers. */
export const number = (name: string): Column => ({ name, is: 'number' });

/** The column of buttons. */
export const ACTIONS: Column = { name: 'Actions', is: 'unseen' };
