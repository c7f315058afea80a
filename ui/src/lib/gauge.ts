// Budgets in words, and when one is near or used up. Invariant: what is kept for cancels does not count as left for orders.
import type { LimitView } from "../bindings/contract";

const NEAR_PERCENT = 80;

export const leftForOrders = ({ limit, reserved, used }: LimitView) => Math.max(0, limit - reserved - used);

export function gaugeState(view: LimitView): "" | "near" | "full" {
  if (leftForOrders(view) === 0) return "full";
  return view.used * 100 >= (view.limit - view.reserved) * NEAR_PERCENT ? "near" : "";
}

/** The desk's names are "weight per 60 s" and the like: what is counted is said here, the window beside it. */
const COUNTED: Record<string, { whole: string; brief: string }> = {
  weight: { whole: "Request weight", brief: "Weight" },
  orders: { whole: "Orders", brief: "Orders" },
  raw: { whole: "Raw requests", brief: "Raw" },
};
export function limitWords({ name }: Pick<LimitView, "name">): { whole: string; brief: string } {
  const counted = name.split(" per ")[0] ?? name;
  const whole = counted.charAt(0).toUpperCase() + counted.slice(1);
  return COUNTED[counted.toLowerCase()] ?? { whole, brief: whole };
}
