// Times, spans and small counts as people read them. Invariant: every time is UTC; nothing depends on the machine's locale.
import type { Timestamp } from "../bindings/contract";

const GROUP = "\u00a0";
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (n: number) => String(n).padStart(2, "0");
export const DAY_MS = 86_400_000;

const dateOf = (at: Timestamp) => new Date(at / 1000);

/** 09:31:02 */
export function clock(at: Timestamp): string {
  const d = dateOf(at);
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
}
/** 09:31:02.418 */
export const clockMs = (at: Timestamp) => `${clock(at)}.${String(dateOf(at).getUTCMilliseconds()).padStart(3, "0")}`;
/** 23 Nov */
export const day = (at: Timestamp) => `${dateOf(at).getUTCDate()}${GROUP}${MONTHS[dateOf(at).getUTCMonth()]}`;
/** 23 Nov 2026 */
export const date = (at: Timestamp) => `${day(at)}${GROUP}${dateOf(at).getUTCFullYear()}`;
/** The time today, day and time before. */
export function moment(at: Timestamp, now_ms: number): string {
  return Math.floor(at / 1000 / DAY_MS) === Math.floor(now_ms / DAY_MS) ? clock(at) : `${day(at)} ${clock(at).slice(0, 5)}`;
}
export const iso = (at: Timestamp) => dateOf(at).toISOString();

/** A count with thousands apart. */
export const count = (n: number) => String(Math.trunc(n)).replace(/\B(?=(\d{3})+$)/g, GROUP);

/** Time left, as 9:18 or 1:02:07. */
export function left(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const [h, m, rest] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  return h > 0 ? `${h}:${two(m)}:${two(rest)}` : `${m}:${two(rest)}`;
}
/** A span in the two largest units that matter: 0.1 s, 48 s, 3 h 12 m, 41 d. */
export function span(ms: number): string {
  if (ms < 10_000) return `${(Math.max(0, ms) / 1000).toFixed(1)}${GROUP}s`;
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s}${GROUP}s`;
  if (s < 3600) return `${Math.floor(s / 60)}${GROUP}m`;
  if (s < 86_400) return `${Math.floor(s / 3600)}${GROUP}h ${Math.floor(s / 60) % 60}${GROUP}m`;
  return `${Math.floor(s / 86_400)}${GROUP}d`;
}
/** Microseconds as milliseconds: 18 ms, 0.42 ms. */
export function ms(us: number): string {
  const value = us / 1000;
  return `${value < 9.95 ? value.toFixed(value < 0.995 ? 2 : 1) : count(Math.round(value))}${GROUP}ms`;
}
/** Whole milliseconds from 1 ms on: a clock is not known better. */
export const bound = (us: number) => (us >= 1000 ? `${count(Math.round(us / 1000))}${GROUP}ms` : ms(us));
/** A signed clock difference: +3 ms, −0.4 ms. */
export function offset(us: number): string {
  const size = Math.abs(us);
  return `${us < 0 ? "\u2212" : "+"}${bound(size)}`;
}
/** A length of a window: 10 s, 1 min, day. */
export function window(ms: number): string {
  if (ms >= DAY_MS) return ms === DAY_MS ? "day" : `${ms / DAY_MS} d`;
  if (ms >= 3_600_000) return `${ms / 3_600_000}${GROUP}h`;
  return ms >= 60_000 ? `${ms / 60_000}${GROUP}min` : `${ms / 1000}${GROUP}s`;
}
/** A hexadecimal or base64 fingerprint in groups of eight. */
export const groups = (fingerprint: string) => fingerprint.match(/.{1,8}/g) ?? [];
export const brief = (fingerprint: string) => groups(fingerprint).slice(0, 2).join(" ");
