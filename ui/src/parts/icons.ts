// The paths of our icons on a 24 grid, 1.5 stroke. Invariant: lines, but for the filled square of the kill switch.
const circle = (x: number, y: number, r: number) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;
const rect = (x: number, y: number, w: number, h: number) => `M${x} ${y}h${w}v${h}h${-w}z`;

export const paths = {
  trade: ["M7.5 3.5V8m0 7v5.5M5 8h5v7H5zM16.5 3.5V6m0 9.5v5M14 6h5v9.5h-5z"],
  lines: [circle(4.5, 12, 2), circle(19.5, 12, 2), "M6.5 12H9l2-5 2.5 10 1.8-5h2.2"],
  keys: [circle(8, 15.5, 4.5), "M11.3 12.2 19.5 4M16 7.5l3 3M13.3 10.2l1.8 1.8"],
  audit: ["M6 3.5h8.5L18.5 7.5v13H6zM14.5 3.5v4h4", "m9 14 2.2 2.2L15.5 12"],
  settings: ["M4 7.5h9.5M18.5 7.5H20M4 16.5h2M11 16.5h9", circle(16, 7.5, 2.3), circle(8.5, 16.5, 2.3)],
  lock: [rect(5, 11, 14, 9.5), "M8 11V8a4 4 0 0 1 8 0v3M12 15v2"],
  unlock: [rect(5, 11, 14, 9.5), "M8 11V7.5a4 4 0 0 1 7.7-1.5M12 15v2"],
  search: [circle(10.5, 10.5, 6), "m15 15 5 5"],
  out: ["M13.5 4.5h6v6M19.5 4.5 11 13M17.5 14v5.5h-13v-13H10"],
  shield: ["M12 3.5 19.5 6v6c0 4.5-3 7.5-7.5 8.5-4.5-1-7.5-4-7.5-8.5V6z"],
  check: ["M4.5 12.5 9.5 17.5 19.5 7"],
  chevron: ["m6.5 9.5 5.5 5.5 5.5-5.5"],
  minus: ["M5.5 12h13"],
  plus: ["M12 5.5v13M5.5 12h13"],
  pause: ["M9 6v12M15 6v12"],
  play: ["M8 5.5v13l10-6.5z"],
  x: ["m6 6 12 12M18 6 6 18"],
  copy: [rect(8.5, 8.5, 11.5, 11.5), "M15.5 8.5V4H4v11.5h4.5"],
  refresh: ["M19.5 12a7.5 7.5 0 1 1-2.2-5.3M19.5 3.5v4h-4"],
  stop: ["M7 7h10v10H7z"],
  command: [rect(3.5, 5, 17, 14), "m7.5 9.5 3 2.5-3 2.5M13 15h3.5"],
  prompt: [rect(3.5, 4.5, 17, 15), "M3.5 8.5h17M8 14h.01M12 14h.01M16 14h.01"],
} as const satisfies Record<string, readonly string[]>;

export type IconName = keyof typeof paths;
