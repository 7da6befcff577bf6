import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';

/** How far back the live numbers go. */
const SPAN_SECONDS = 600;

export interface ChartProps {
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly times: readonly number[];
  readonly lines: readonly ChartLine[];
  readonly format: (value: number) => string;
  /** The upper end of the axis, where there is one. */
  readonly max?: number;
}

export interface ChartLine {
  readonly name: string;
  /** A custom property. */
  readonly color: string;
  readonly values: readonly (number | null)[];
}

/** Lines over time, and the latest values in words. */
export function Chart({ title, times, lines, format, max }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const data = [times.map((at) => at / 1_000), ...lines.map(({ values }) => values)] as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const draw = (): void => {
      plot.current?.destroy();
      const options = optionsOf(element, lines, format, max);
      plot.current = new uPlot(options, latest.current, element);
    };
    draw();
    const observer = new ResizeObserver(() => {
      plot.current?.setSize({ width: element.clientWidth, height: element.clientHeight });
    });
    observer.observe(element);
    // Colours are read once, so another theme needs another drawing.
    const themes = new MutationObserver(draw);
    themes.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', draw);
    return () => {
      observer.disconnect();
      themes.disconnect();
      scheme.removeEventListener('change', draw);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [lines.map(({ name }) => name).join()]);

  useEffect(() => plot.current?.setData(data), [times.at(-1), times.length]);

  const words = lines.map(({ name, values }) => {
    const value = values.at(-1);
    return `${lines.length > 1 ? `${name} ` : ''}${typeof value === 'number' ? format(value) : '–'}`;
  });
  return (
    <figure class="chart" data-chart={title}>
      <h3>
        {title} <span class="muted">{words.join(', ')}</span>
      </h3>
      <div ref={place} class="plot" aria-hidden="true" />
    </figure>
  );
}

function optionsOf(
  element: HTMLElement,
  lines: readonly ChartLine[],
  format: (value: number) => string,
  max: number | undefined,
): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (property: string): string => colorOf(element, property);
  const axis = {
    stroke: color('--muted'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: `11px ${style.fontFamily}`,
  };
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      // As wide from the first sample on as it will be.
      x: { range: (_plot, _first, last) => [last - SPAN_SECONDS, last] },
      y: { range: (_plot, _low, high) => [0, max ?? Math.max(1, high * 1.15)] },
    },
    axes: [
      { ...axis, size: 26, space: 70, values: (_plot, seconds) => seconds.map(clockTime) },
      { ...axis, size: 58, space: 28, values: (_plot, values) => values.map(format) },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.name,
        stroke: color(line.color),
        width: 1.75,
        points: { show: false },
        ...(lines.length === 1 ? { fill: `color-mix(in srgb, ${color(line.color)} 12%, transparent)` } : {}),
      })),
    ],
  };
}

/** What a custom property is as a colour that a canvas knows: `light-dark()` is resolved by the element. */
function colorOf(element: HTMLElement, property: string): string {
  const before = element.style.color;
  element.style.color = `var(${property})`;
  const { color } = getComputedStyle(element);
  element.style.color = before;
  return color;
}

function clockTime(seconds: number): string {
  return new Date(seconds * 1_000).toLocaleTimeString(undefined, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
}
