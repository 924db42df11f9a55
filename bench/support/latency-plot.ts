/** The latency plot: for each number of connections the quantiles of service and skeleton, as an SVG without scripts. */

export type Panel = {
  readonly title: string;
  readonly service: readonly number[];
  readonly skeleton: readonly number[];
};

const [panelWidth, panelHeight, gap, margin] = [300, 240, 56, 64];

/** Quantiles are drawn at equal distances in the number of nines, as far as the samples reach. */
const shares = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999];
const ticks = [0.5, 0.9, 0.99, 0.999];

export const plotStyle = `
  svg { font: 13px system-ui, sans-serif; background: #fff; color-scheme: light dark }
  text { fill: #24292f } .title { font-weight: 600 } .minor { fill: #57606a }
  .grid { stroke: #d0d7de } .curve { fill: none; stroke-width: 2.5; stroke-linejoin: round }
  .service { stroke: #0969da } .skeleton { stroke: #bc4c00; stroke-dasharray: 6 4 }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117 } text { fill: #e6edf3 } .minor { fill: #9198a1 } .grid { stroke: #3d444d }
    .service { stroke: #58a6ff } .skeleton { stroke: #f0883e }
  }`;

/** `quantiles` of a panel: latencies in ms at 0, 0.1, … 100 percent. */
export function latencyPlot(heading: string, panels: readonly Panel[]): string {
  const width = 2 * margin + panels.length * panelWidth + (panels.length - 1) * gap;
  const height = panelHeight + 2 * margin;
  const drawn = panels.map((panel, index) => drawPanel(panel, margin + index * (panelWidth + gap), margin + 24));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${heading}">
<style>${plotStyle}</style>
<text class="title" x="${margin}" y="28" font-size="16">${heading}</text>
<path class="curve service" d="M${margin} 48h28"/><text x="${margin + 36}" y="52">service</text>
<path class="curve skeleton" d="M${margin + 108} 48h28"/><text x="${margin + 144}" y="52">skeleton</text>
${drawn.join('\n')}
</svg>
`;
}

function drawPanel({ title, service, skeleton }: Panel, left: number, top: number): string {
  const most = niceCeiling(Math.max(latencyAt(service, 0.999), latencyAt(skeleton, 0.999)));
  const x = (share: number) => left + (nines(share) / nines(0.999)) * panelWidth;
  const y = (ms: number) => top + panelHeight - (ms / most) * panelHeight;
  const curve = (name: string, quantiles: readonly number[]) => {
    const points = shares.map((share) => `${x(share).toFixed(1)} ${y(latencyAt(quantiles, share)).toFixed(1)}`);
    return `<path class="curve ${name}" d="M${points.join('L')}"/>`;
  };
  const rows = [0, 1, 2, 3, 4].map((step) => {
    const ms = (most * step) / 4;
    const line = `<path class="grid" d="M${left} ${y(ms)}h${panelWidth}"/>`;
    return `${line}<text class="minor" x="${left - 8}" y="${y(ms) + 4}" text-anchor="end">${Number(ms.toPrecision(3))}</text>`;
  });
  const columns = ticks.map((share) => {
    const label = `p${Number((share * 100).toFixed(1))}`;
    return `<path class="grid" d="M${x(share)} ${top}v${panelHeight}"/><text class="minor" x="${x(share)}" y="${top + panelHeight + 20}" text-anchor="middle">${label}</text>`;
  });
  return [
    `<text class="title" x="${left}" y="${top - 10}">${title}, ms</text>`,
    ...rows,
    ...columns,
    curve('skeleton', skeleton),
    curve('service', service),
  ].join('\n');
}

const nines = (share: number): number => -Math.log10(1 - share);

const latencyAt = (quantiles: readonly number[], share: number): number => quantiles[Math.round(share * 1000)] ?? 0;

/** The least of 1, 2, 4, 6, 8 times a power of ten that is not below `value`. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return (([1, 2, 4, 6, 8].find((step) => step * power >= value) ?? 10) as number) * power;
}
