/** Colours of terminals, where there is one that shows them and nobody asked for none (https://no-color.org). */
type Colour = (text: string) => string;

const paint =
  (code: number): Colour =>
  (text) =>
    process.stdout.isTTY && !process.env.NO_COLOR ? `\u001b[${code}m${text}\u001b[0m` : text;

export const green = paint(32);
export const red = paint(31);
export const faint = paint(2);
