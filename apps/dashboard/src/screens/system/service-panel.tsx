import type { SystemView } from '../../api/system.ts';
import { formatBytes } from '../../format/bytes.ts';
import { formatDuration } from '../../format/time.ts';
import { useApp } from '../../state/app.ts';
import { useResource } from '../../state/resource.ts';
import { Pending } from '../../ui/empty.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Ago } from '../../ui/time.tsx';

/** The service, its store, and the machine it is on. */
export function ServicePanel() {
  const { api } = useApp();
  const resource = useResource(async (signal) => api.system.get(signal), [], { everyMs: 5_000 });
  const system = resource.value;
  return (
    <Panel title="Service" count={system?.version} data-action="system.show">
      {system === undefined ? (
        <Pending resource={resource} />
      ) : (
        <dl class="facts">
          <dt>Started</dt>
          <dd>
            <Ago at={system.startedAt} />, as process {system.pid} on {system.host}
          </dd>
          <dt>Node</dt>
          <dd>
            {system.node}, {system.platform}
          </dd>
          <dt>Store</dt>
          <dd>
            <Store store={system.store} />
          </dd>
          <Machine system={system} />
        </dl>
      )}
    </Panel>
  );
}

function Store({ store: { kind, file, bytes, integrity, checkedAt } }: Pick<SystemView, 'store'>) {
  if (kind === 'memory') return <>in memory: gone when the service ends</>;
  return (
    <>
      {file}, {formatBytes(bytes)}
      {integrity === null ? (
        ', not checked yet'
      ) : (
        <>
          , {integrity.ok ? 'whole' : integrity.problems.join(' ')} (checked <Ago at={checkedAt} />)
        </>
      )}
    </>
  );
}

function Machine({ system: { cpu, memory, disk, eventLoop } }: { system: SystemView }) {
  return (
    <>
      <dt>CPU</dt>
      <dd>
        {percent(cpu.usedPercent)} of {cpu.cores} cores, {percent(cpu.servicePercent)} by the service; load{' '}
        {cpu.load.map((load) => load.toFixed(2)).join(', ')}
      </dd>
      <dt>Memory</dt>
      <dd>
        {percent(memory.usedPercent)} of {formatBytes(memory.totalBytes)}, {formatBytes(memory.serviceBytes)}{' '}
        by the service
      </dd>
      <dt>Disk</dt>
      <dd>
        {percent(disk.usedPercent)} of {formatBytes(disk.totalBytes)} at {disk.path}
      </dd>
      <dt>Late by</dt>
      <dd title="How late the service came to its work in about the last minute">
        {formatDuration(eventLoop.delayP50Ms)} in the middle, {formatDuration(eventLoop.delayP99Ms)} in 1 of
        100, {formatDuration(eventLoop.delayMaxMs)} at worst
      </dd>
    </>
  );
}

function percent(value: number | null): string {
  return value === null ? '–' : `${Math.round(value)} %`;
}
