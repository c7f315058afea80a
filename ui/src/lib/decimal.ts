// Exact decimal arithmetic on the strings of the contract. Invariant: no amount or price ever becomes a float here.
import type { Decimal } from "../bindings/contract";

/** `units / 10 ** scale`. */
export type Exact = { units: bigint; scale: number };

const PLAIN = /^-?\d+(\.\d+)?$/;
const SCALE_MAX = 30; // longer fractions are refused: no venue has them
const MINUS = "\u2212";
const GROUP = "\u00a0";

export function exact(text: Decimal): Exact {
  if (!PLAIN.test(text)) throw new RangeError(`not a decimal: ${text}`);
  const [whole, fraction = ""] = text.split(".") as [string, string?];
  if (fraction.length > SCALE_MAX) throw new RangeError(`too many decimals: ${text}`);
  return { units: BigInt(whole + fraction), scale: fraction.length };
}

/** What a person typed, as a decimal; null when it is not one. Spaces are allowed between digits, commas are not: they mean two things. */
export function typed(text: string): Decimal | null {
  const bare = text.replace(/[\s\u00a0\u202f]/g, "").replace(MINUS, "-");
  const full = bare.startsWith(".") ? `0${bare}` : bare.endsWith(".") ? bare.slice(0, -1) : bare;
  if (!PLAIN.test(full) || (full.split(".")[1]?.length ?? 0) > SCALE_MAX) return null;
  return full;
}

const pow10 = (n: number) => 10n ** BigInt(n);
const rescale = (a: Exact, scale: number) => a.units * pow10(scale - a.scale);

function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const x = exact(a);
  const y = exact(b);
  const scale = Math.max(x.scale, y.scale);
  return [rescale(x, scale), rescale(y, scale), scale];
}

export function text({ units, scale }: Exact): Decimal {
  const negative = units < 0n;
  const digits = (negative ? -units : units).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  return (negative ? "-" : "") + (scale === 0 ? whole : `${whole}.${digits.slice(-scale)}`);
}

export function add(a: Decimal, b: Decimal): Decimal {
  const [x, y, scale] = aligned(a, b);
  return text({ units: x + y, scale });
}
export function sub(a: Decimal, b: Decimal): Decimal {
  const [x, y, scale] = aligned(a, b);
  return text({ units: x - y, scale });
}
export function mul(a: Decimal, b: Decimal): Decimal {
  const x = exact(a);
  const y = exact(b);
  return text({ units: x.units * y.units, scale: x.scale + y.scale });
}
/** Quotient cut to `scale` decimals, towards zero. */
export function div(a: Decimal, b: Decimal, scale: number): Decimal {
  const [x, y] = aligned(a, b);
  if (y === 0n) throw new RangeError("division by zero");
  return text({ units: (x * pow10(scale)) / y, scale });
}
export function compare(a: Decimal, b: Decimal): -1 | 0 | 1 {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}
export const isZero = (a: Decimal) => exact(a).units === 0n;
export const isPositive = (a: Decimal) => exact(a).units > 0n;

/** The largest multiple of `step` that is not above `a`. */
export function floorTo(a: Decimal, step: Decimal): Decimal {
  const [x, y, scale] = aligned(a, step);
  if (y <= 0n) throw new RangeError("step must be positive");
  const rest = ((x % y) + y) % y;
  return text({ units: x - rest, scale });
}
/** The smallest multiple of `step` that is not below `a`. */
export function ceilTo(a: Decimal, step: Decimal): Decimal {
  const floor = floorTo(a, step);
  return compare(floor, a) === 0 ? floor : add(floor, step);
}
export const isMultiple = (a: Decimal, step: Decimal) => compare(floorTo(a, step), a) === 0;

/** Decimals that a step needs: 0.0100 needs 2, 10 needs 0. */
export function places(step: Decimal): number {
  const fraction = step.split(".")[1] ?? "";
  return fraction.replace(/0+$/, "").length;
}
const CANONICAL = /^(?:0|[1-9]\d*)(?:\.\d+)?$/;

/** Cut (never rounded up) or filled to exactly `count` decimals. */
export function fixed(a: Decimal, count: number): Decimal {
  const dot = a.indexOf(".");
  const missing = count - (dot < 0 ? 0 : a.length - dot - 1);
  // What only needs zeros at its end is most of what a frame brings.
  if (missing >= 0 && CANONICAL.test(a)) return missing === 0 ? a : `${a}${dot < 0 ? "." : ""}${"0".repeat(missing)}`;
  const { units, scale } = exact(a);
  return text(
    scale > count ? { units: units / pow10(scale - count), scale: count } : { units: rescale({ units, scale }, count), scale: count },
  );
}
/** Rounded half away from zero to `count` decimals: for what is only shown, such as a share or an average. */
export function rounded(a: Decimal, count: number): Decimal {
  const { units, scale } = exact(a);
  if (scale <= count) return fixed(a, count);
  const unit = pow10(scale - count);
  const half = units < 0n ? -(unit / 2n) : unit / 2n;
  return text({ units: (units + half) / unit, scale: count });
}
/** Without zeros at the end that mean nothing. */
export function trimmed(a: Decimal): Decimal {
  return a.includes(".") ? a.replace(/\.?0+$/, "") : a;
}

/** For people: thousands apart by a no-break space (drawn thin), a true minus, `count` decimals if given. */
export function shown(a: Decimal, count?: number): string {
  const plain = count === undefined ? a : fixed(a, count);
  const negative = plain.startsWith("-");
  const [whole = "0", fraction] = (negative ? plain.slice(1) : plain).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, GROUP);
  return (negative ? MINUS : "") + grouped + (fraction === undefined ? "" : `.${fraction}`);
}
const IN_TEXT = /(^|[^\w.:/-])(\d+(?:\.\d+)?)(?![\w:/-])/g;
const NOISE_PLACES = 4; // more decimals than these end in a digit

const UNIT = /(\d) (%|ms|s|min|h)(?!\w)/g;

/** A text of the desk with its numbers as people read them: "1877.62 of 25000" has its thousands apart, 99032.45470000 no idle zeros. */
export const spaced = (words: string) =>
  words
    .replace(IN_TEXT, (_, before: string, number: string) => {
      const idle = (number.split(".")[1]?.length ?? 0) > NOISE_PLACES;
      return before + shown(idle ? trimmed(number) : number);
    })
    .replace(UNIT, `$1${GROUP}$2`);
/** The same with a plus in front of what is above zero. */
export const signed = (a: Decimal, count?: number) => (isPositive(a) ? "+" : "") + shown(a, count);

/** `a / b` in thousandths, 0 to 1000: how long a bar is. Only for drawing. */
export function permille(a: Decimal, b: Decimal): number {
  const [x, y] = aligned(a, b);
  if (y <= 0n || x <= 0n) return 0;
  return x >= y ? 1000 : Number((x * 1000n) / y);
}
/** A float for the chart and nothing else. */
export const forDrawing = (a: Decimal) => Number(a);
