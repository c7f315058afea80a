// The candles on their canvas. Invariants: floats live only here and only to place pixels; the last bar is redrawn at most every REDRAW_MS.
import {
  CandlestickSeries,
  HistogramSeries,
  createChart,
  type AutoscaleInfo,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import type { Candle, OrderView } from "../../bindings/contract";
import { forDrawing, shown, sub } from "../../lib/decimal";
import type { Grain } from "../../lib/grain";
import { priceOf, quantityOf } from "../../lib/symbols";
import type { OwnFill } from "../../state/orders.svelte";
import { OwnMarks, type OwnLine } from "./own-marks";

export const REDRAW_MS = 100;
/** Without a graphics card: a canvas is painted whole. */
export const REDRAW_SOFTWARE_MS = 500;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const token = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const seconds = (us: number) => Math.floor(us / 1e6) as UTCTimestamp;
const two = (n: number) => String(n).padStart(2, "0");

/** A token's colour with an opacity, as a canvas reads it. */
function faded(name: string, opacity: number): string {
  const bare = token(name).replace("#", "");
  const full = bare.length === 3 ? [...bare].map((c) => c + c).join("") : bare;
  const [r, g, b] = [0, 2, 4].map((i) => parseInt(full.slice(i, i + 2), 16));
  return `rgba(${r}, ${g}, ${b}, ${opacity})`;
}

export class CandleChart {
  private chart: IChartApi;
  private candles: ISeriesApi<"Candlestick">;
  private volume: ISeriesApi<"Histogram">;
  private own = new OwnMarks();
  private axis: IPriceLine[] = [];
  private last: Candle | null = null;
  private prices: number[] = [];

  constructor(
    box: HTMLElement,
    private grain: Grain,
    locale: string,
    onhover: (time: number | null) => void,
  ) {
    this.chart = createChart(box, {
      autoSize: true,
      layout: { attributionLogo: false, fontFamily: token("--font-num"), fontSize: 11 },
      localization: {
        locale,
        priceFormatter: this.priceWords,
        timeFormatter: (time: Time) => label(Number(time), true),
      },
      timeScale: {
        timeVisible: true,
        secondsVisible: false,
        rightOffset: 3,
        minBarSpacing: 2,
        tickMarkFormatter: (time: Time, kind: number) => label(Number(time), false, kind),
      },
      handleScale: { axisPressedMouseMove: true },
    });
    this.candles = this.chart.addSeries(CandlestickSeries, {
      priceFormat: { type: "custom", minMove: 10 ** -grain.price, formatter: this.priceWords },
      autoscaleInfoProvider: (original: () => AutoscaleInfo | null) => withOrders(original(), this.prices),
    });
    this.volume = this.chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.chart.priceScale("right").applyOptions({ scaleMargins: { top: 0.13, bottom: 0.2 } });
    this.chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.86, bottom: 0 } });
    this.candles.attachPrimitive(this.own);
    this.chart.subscribeCrosshairMove((at) => onhover(at.time === undefined ? null : Number(at.time) * 1e6));
    this.paint();
  }

  /** Reads the tokens anew: after a change of theme or colours. */
  paint(): void {
    const [up, down, text] = [token("--up"), token("--down"), token("--fg-2")];
    this.chart.applyOptions({
      layout: { background: { color: token("--bg-0") }, textColor: text },
      grid: { vertLines: { color: token("--hair") }, horzLines: { color: token("--hair") } },
      rightPriceScale: { borderColor: token("--border") },
      timeScale: { borderColor: token("--border") },
      crosshair: {
        vertLine: { color: token("--border-strong"), labelBackgroundColor: token("--bg-3") },
        horzLine: { color: token("--border-strong"), labelBackgroundColor: token("--bg-3") },
      },
    });
    this.own.paints = { paper: token("--bg-0"), chip: token("--bg-1"), text: token("--fg-0"), font: `11px ${token("--font-num")}` };
    // Rising candles are hollow, falling ones filled: the shape says it as well.
    this.candles.applyOptions({
      upColor: token("--bg-0"),
      borderUpColor: up,
      wickUpColor: up,
      downColor: down,
      borderDownColor: down,
      wickDownColor: down,
      priceLineColor: token("--fg-1"),
    });
  }

  private priceWords = (price: number) => shown(price.toFixed(this.grain.price));

  /** Puts other candles in; `grain` is their instrument's. */
  set(candles: readonly Candle[], grain: Grain): void {
    if (grain.price !== this.grain.price)
      this.candles.applyOptions({ priceFormat: { type: "custom", minMove: 10 ** -grain.price, formatter: this.priceWords } });
    this.grain = grain;
    this.candles.setData(candles.map(bar));
    this.volume.setData(candles.map(column));
    this.last = candles.at(-1) ?? null;
    this.chart.timeScale().applyOptions({ rightOffset: 3 });
    this.chart.timeScale().setVisibleLogicalRange({ from: Math.max(-2, candles.length - 96), to: candles.length + 3 });
  }
  update(candle: Candle): void {
    if (this.last && candle.open_time < this.last.open_time) return;
    this.candles.update(bar(candle));
    this.volume.update(column(candle));
    this.last = candle;
  }

  /** Own open orders as lines, own fills as marks at their time and price. */
  showOwn(orders: readonly OrderView[], fills: readonly OwnFill[], width_us: number): void {
    for (const line of this.axis) this.candles.removePriceLine(line);
    this.axis = [];
    const lines: OwnLine[] = [];
    for (const order of orders) {
      const price = priceOf(order.spec);
      if (price === null) continue;
      const unknown = order.fate === "ambiguous";
      const color = unknown ? token("--warn") : token(order.side === "buy" ? "--up" : "--down");
      const words = `${order.side === "buy" ? "▲ Buy" : "▼ Sell"} ${unknown ? "no answer" : "limit"}`;
      lines.push({
        price: forDrawing(price),
        words,
        size: shown(sub(quantityOf(order.spec) ?? "0", order.filled), this.grain.lot),
        color,
        dashed: unknown,
      });
      this.axis.push(
        this.candles.createPriceLine({
          price: forDrawing(price),
          color,
          lineVisible: false,
          axisLabelVisible: true,
          axisLabelColor: token("--bg-2"),
          axisLabelTextColor: color,
          title: "",
        }),
      );
    }
    this.prices = lines.map((line) => line.price);
    const marks = fills.map((fill) => {
      const buys = fill.order.side === "buy";
      const time = seconds(Math.floor(fill.order.updated / width_us) * width_us);
      return {
        time,
        price: forDrawing(fill.price),
        buys,
        size: shown(fill.quantity, this.grain.lot),
        color: token(buys ? "--up" : "--down"),
      };
    });
    this.own.show(lines, marks);
  }

  end(): void {
    this.chart.remove();
  }
}

/** Own orders widen the scale while they are near: at most as far again as the candles reach. */
function withOrders(info: AutoscaleInfo | null, prices: readonly number[]): AutoscaleInfo | null {
  const range = info?.priceRange;
  if (!info || !range) return info;
  const reach = range.maxValue - range.minValue;
  const near = prices.filter((price) => price <= range.maxValue + reach && price >= range.minValue - reach);
  return { ...info, priceRange: { minValue: Math.min(range.minValue, ...near), maxValue: Math.max(range.maxValue, ...near) } };
}

const bar = (c: Candle) => ({
  time: seconds(c.open_time),
  open: forDrawing(c.open),
  high: forDrawing(c.high),
  low: forDrawing(c.low),
  close: forDrawing(c.close),
});
const column = (c: Candle) => ({
  time: seconds(c.open_time),
  value: forDrawing(c.volume),
  color: faded(forDrawing(c.close) >= forDrawing(c.open) ? "--up" : "--down", 0.3),
});

function label(time: number, whole: boolean, kind = 3): string {
  const at = new Date(time * 1000);
  const day = `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
  const clock = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  if (whole) return `${day} ${clock}`;
  return kind === 0 ? String(at.getUTCFullYear()) : kind === 1 ? (MONTHS[at.getUTCMonth()] ?? "") : kind === 2 ? day : clock;
}
