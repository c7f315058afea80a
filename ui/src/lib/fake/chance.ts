// Seeded chance and integer decimals for the simulated backend. Invariants: the same seed gives the same market; decimals have no zeros at
// their end, as the desk sends them.
import { trimmed } from "../decimal";

export type Chance = () => number;

export function chance(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** `units / 10 ** scale` as the desk writes it. */
export function decimal(units: number, scale: number): string {
  const whole = String(Math.abs(Math.round(units))).padStart(scale + 1, "0");
  const sign = units < 0 ? "-" : "";
  return scale === 0 ? sign + whole : trimmed(`${sign}${whole.slice(0, -scale)}.${whole.slice(-scale)}`);
}
export const unitsOf = (text: string, scale: number) => Math.round(Number(text) * 10 ** scale);

export function hex(rand: Chance, length: number): string {
  return Array.from({ length }, () => Math.floor(rand() * 16).toString(16)).join("");
}
