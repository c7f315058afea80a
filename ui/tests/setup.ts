// What a browser has and the test's document lacks. Invariant: nothing here decides an outcome.
import { vi } from "vitest";

Element.prototype.scrollIntoView ??= () => undefined;

// The candles need a canvas; what is drawn there is looked at in a real engine.
vi.mock("../src/views/trade/chart", () => ({
  REDRAW_MS: 100,
  REDRAW_SOFTWARE_MS: 500,
  CandleChart: class {
    paint() {}
    set() {}
    update() {}
    showOwn() {}
    end() {}
  },
}));
