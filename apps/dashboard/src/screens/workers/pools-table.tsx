import { useState } from 'preact/hooks';
import type { PoolView } from '../../api/pools.ts';
import { useApp } from '../../state/app.ts';
import { Button } from '../../ui/button.tsx';
import { ACTIONS, number, TableHead } from '../../ui/table-head.tsx';

const COLUMNS = [
  'Pool',
  'In use',
  number('Workers'),
  number('Waiting'),
  number('Runs'),
  number('Crashes'),
  ACTIONS,
] as const;

export interface PoolsTableProps {
  readonly pools: readonly PoolView[];
  /** Told that something was changed. */
  readonly onChange: () => void;
}

export function PoolsTable({ pools, onChange }: PoolsTableProps) {
  return (
    <table class="table folds">
      <TableHead columns={COLUMNS} />
      <tbody>
        {pools.map((pool) => (
          <tr key={pool.name} data-row data-pool={pool.name}>
            <th scope="row">{pool.name}</th>
            <td>
              <Meter pool={pool} />
            </td>
            <td class="number" data-label="workers" title={`from ${pool.min} to ${pool.max}`}>
              {pool.workers}
            </td>
            <td class="number" data-label="waiting">
              {pool.waiting}
            </td>
            <td class="number" data-label="runs">
              {pool.runs}
            </td>
            <td class="number" data-label="crashes">
              {pool.crashes}
            </td>
            <td class="tools">
              <Scale pool={pool} onChange={onChange} />
              <Recycle name={pool.name} onChange={onChange} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Meter({ pool: { workers, busy, starting } }: { pool: PoolView }) {
  const share = (count: number): string => `${workers === 0 ? 0 : (100 * count) / workers}%`;
  return (
    <span class="row nowrap">
      <span class="meter" aria-hidden="true">
        <span class="busy" style={{ width: share(busy) }} />
        <span class="starting" style={{ width: share(starting) }} />
      </span>
      <span class="small muted">
        {busy} of {workers} busy{starting > 0 && `, ${starting} starting`}
      </span>
    </span>
  );
}

function Scale({ pool: { name, workers }, onChange }: { pool: PoolView; onChange: () => void }) {
  const { api, toasts } = useApp();
  const [size, setSize] = useState('');

  async function scale(): Promise<void> {
    await api.pools.scale(name, Number(size));
    toasts.done(`The pool ${name} goes from ${workers} workers to ${size}.`, {
      label: 'Undo',
      run: () => void api.pools.scale(name, workers).then(onChange, toasts.error),
    });
    setSize('');
    onChange();
  }

  return (
    <span class="scale">
      <input
        class="input"
        type="number"
        min={0}
        aria-label={`Workers of ${name}`}
        placeholder={String(workers)}
        value={size}
        onInput={(event) => setSize(event.currentTarget.value)}
      />
      <Button data-action="pool.scale" disabled={size === ''} onClick={scale} label={`Scale ${name}`}>
        Scale
      </Button>
    </span>
  );
}

function Recycle({ name, onChange }: { name: string; onChange: () => void }) {
  const { api, dialogs, toasts } = useApp();

  async function recycle(): Promise<void> {
    const answer = await dialogs.ask({
      title: `Recycle the pool ${name}?`,
      text: `Each worker of ${name} is replaced by a new one once its run has ended.`,
      confirm: 'Recycle the workers',
    });
    if (answer === undefined) return;
    await api.pools.recycle(name);
    toasts.done(`The workers of ${name} are being replaced.`);
    onChange();
  }

  return (
    <Button data-action="pool.recycle" onClick={recycle} label={`Recycle ${name}`}>
      Recycle
    </Button>
  );
}
