/** Bars of time on a logarithmic scale, as an SVG without scripts; the first two of a group are ours. */
import { plotStyle } from '../support/latency-plot.ts';

export type BarGroup = {
  readonly title: string;
  readonly bars: readonly { readonly label: string; readonly ns: number }[];
};

const [labels, plot, margin, barHeight, gap] = [190, 560, 40, 16, 34];
const style = `${plotStyle}
  rect.service { fill: #0969da; stroke: none } rect.skeleton { fill: #bc4c00; stroke: none }
  @media (prefers-color-scheme: dark) { rect.service { fill: #58a6ff } rect.skeleton { fill: #f0883e } }`;

export function barPlot(heading: string, groups: readonly BarGroup[]): string {
  const all = groups.flatMap(({ bars }) => bars.map(({ ns }) => ns));
  const [least, most] = [Math.floor(Math.log10(Math.min(...all))), Math.ceil(Math.log10(Math.max(...all)))];
  const x = (ns: number) => margin + labels + ((Math.log10(ns) - least) / (most - least)) * plot;
  const parts: string[] = [];
  let y = margin + 24;
  const top = y;
  for (const { title, bars } of groups) {
    y += gap;
    parts.push(`<text class="title" x="${margin}" y="${y - 8}">${title}</text>`);
    for (const [index, { label, ns }] of bars.entries()) {
      const end = x(ns);
      parts.push(
        `<text class="minor" x="${margin + labels - 8}" y="${y + 12}" text-anchor="end">${label}</text>`,
        `<rect class="${index < 2 ? 'service' : 'skeleton'}" x="${margin + labels}" y="${y}" width="${(end - margin - labels).toFixed(1)}" height="${barHeight - 4}"/>`,
        `<text class="minor" x="${(end + 6).toFixed(1)}" y="${y + 11}">${timeText(ns)}</text>`,
      );
      y += barHeight;
    }
  }
  const grid = Array.from({ length: most - least + 1 }, (_, step) => {
    const at = x(10 ** (least + step)).toFixed(1);
    return `<path class="grid" d="M${at} ${top}V${y + 6}"/><text class="minor" x="${at}" y="${y + 24}" text-anchor="middle">${timeText(10 ** (least + step))}</text>`;
  });
  const [width, height] = [2 * margin + labels + plot + 60, y + margin];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${heading}">
<style>${style}</style>
<text class="title" x="${margin}" y="28" font-size="16">${heading}, logarithmic scale</text>
${[...grid, ...parts].join('\n')}
</svg>
`;
}

const timeText = (ns: number): string =>
  ns < 1000 ? `${Number(ns.toPrecision(3))} ns` : `${Number((ns / 1000).toPrecision(3))} µs`;
