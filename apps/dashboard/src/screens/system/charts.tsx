import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useApp } from '../../state/app.ts';
import { useStore } from '../../state/store.ts';
import { formatBytes } from '../../format/bytes.ts';
import { Panel } from '../../ui/panel.tsx';
import type { ChartProps } from './chart.tsx';
// Here, so that only a script is left to be loaded later.
import 'uplot/dist/uPlot.min.css';

/** The last ten minutes, as far as this page saw them. */
export function Charts() {
  const { live } = useApp();
  const samples = useStore(live.stats);
  const Chart = useChart();
  const times = samples.map(({ at }) => at);
  const values = (read: (stats: (typeof samples)[number]['stats']) => number | null | undefined) =>
    samples.map(({ stats }) => read(stats) ?? null);
  return (
    <Panel title="Now" count="the last ten minutes">
      <div class="charts">
        {Chart !== undefined && (
          <>
            <Chart
              title="Runs"
              times={times}
              lines={[
                { name: 'running', color: '--running', values: values(({ counts }) => counts?.['running']) },
                { name: 'waiting', color: '--queued', values: values(({ counts }) => counts?.['queued']) },
              ]}
              format={(value) => (Number.isInteger(value) ? String(value) : '')}
            />
            <Chart
              title="CPU"
              times={times}
              lines={[{ name: 'CPU', color: '--accent', values: values(({ cpuPercent }) => cpuPercent) }]}
              format={(value) => `${Math.round(value)} %`}
              max={100}
            />
            <Chart
              title="Memory of the service"
              times={times}
              lines={[{ name: 'memory', color: '--lost', values: values(({ rssBytes }) => rssBytes) }]}
              format={formatBytes}
            />
          </>
        )}
      </div>
    </Panel>
  );
}

/** The drawing part is large, so it comes when it is needed. */
function useChart(): ComponentType<ChartProps> | undefined {
  const [chart, setChart] = useState<{ component: ComponentType<ChartProps> } | undefined>(undefined);
  useEffect(() => {
    let isWanted = true;
    void import('./chart.tsx').then(({ Chart }) => {
      if (isWanted) setChart({ component: Chart });
    });
    return () => {
      isWanted = false;
    };
  }, []);
  return chart?.component;
}
