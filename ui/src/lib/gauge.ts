// When a budget is near or used up. Invariant: what is kept for cancels does not count as left for orders.
import type { LimitView } from "../bindings/contract";

const NEAR_PERCENT = 80;

export const leftForOrders = ({ limit, reserved, used }: LimitView) => Math.max(0, limit - reserved - used);

export function gaugeState(view: LimitView): "" | "near" | "full" {
  if (leftForOrders(view) === 0) return "full";
  return view.used * 100 >= (view.limit - view.reserved) * NEAR_PERCENT ? "near" : "";
}
