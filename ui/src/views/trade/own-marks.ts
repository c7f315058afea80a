// Draws own orders and fills over the candles. Invariant: an order without an answer is dashed and amber, never like one that rests.
import type {
  IChartApiBase,
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesApi,
  ISeriesPrimitive,
  SeriesAttachedParameter,
  Time,
} from "lightweight-charts";

export type OwnLine = { price: number; words: string; size: string; color: string; dashed: boolean };
export type OwnMark = { time: Time; price: number; buys: boolean; size: string; color: string };
export type Paints = { paper: string; chip: string; text: string; font: string };

const CHIP_X = 8;
const CHIP_H = 18;
const PAD = 7;
type Box = { y: number; end: number };
type Target = Parameters<IPrimitivePaneRenderer["draw"]>[0];

export class OwnMarks implements ISeriesPrimitive<Time> {
  lines: OwnLine[] = [];
  marks: OwnMark[] = [];
  paints: Paints = { paper: "", chip: "", text: "", font: "" };
  private chart: IChartApiBase<Time> | null = null;
  private series: ISeriesApi<"Candlestick"> | null = null;
  private refresh: () => void = () => undefined;

  attached({ chart, series, requestUpdate }: SeriesAttachedParameter<Time>): void {
    this.chart = chart;
    this.series = series as ISeriesApi<"Candlestick">;
    this.refresh = requestUpdate;
  }
  show(lines: OwnLine[], marks: OwnMark[]): void {
    this.lines = lines;
    this.marks = marks;
    this.refresh();
  }
  paneViews(): readonly IPrimitivePaneView[] {
    return [{ zOrder: () => "top", renderer: () => ({ draw: (target) => this.draw(target) }) }];
  }

  private draw(target: Target): void {
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      context.font = this.paints.font;
      context.textBaseline = "middle";
      for (const mark of this.marks) this.drawMark(context, mark, mediaSize.width);
      const chips: Box[] = [];
      for (const line of this.lines) this.drawLine(context, line, mediaSize.width, chips);
    });
  }

  private drawLine(context: CanvasRenderingContext2D, line: OwnLine, width: number, chips: Box[]): void {
    const at = this.series?.priceToCoordinate(line.price);
    if (at === null || at === undefined) return;
    const y = Math.round(at) + 0.5;
    context.strokeStyle = line.color;
    context.lineWidth = 1;
    context.setLineDash(line.dashed ? [5, 4] : []);
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(width, y);
    context.stroke();
    const words = context.measureText(line.words).width;
    const chip = words + context.measureText(line.size).width + PAD * 3 + 6;
    // A chip that would cover another one moves to its right.
    const x = chips.reduce((at, other) => (Math.abs(other.y - y) < CHIP_H ? Math.max(at, other.end + 4) : at), CHIP_X);
    chips.push({ y, end: x + chip });
    context.fillStyle = this.paints.chip;
    context.beginPath();
    context.roundRect(x, y - CHIP_H / 2, chip, CHIP_H, 2);
    context.fill();
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = line.color;
    context.fillText(line.words, x + PAD, y + 0.5);
    context.fillStyle = this.paints.text;
    context.fillText(line.size, x + PAD * 2 + words + 6, y + 0.5);
  }

  private drawMark(context: CanvasRenderingContext2D, mark: OwnMark, width: number): void {
    const x = this.chart?.timeScale().timeToCoordinate(mark.time);
    const at = this.series?.priceToCoordinate(mark.price);
    if (x === null || x === undefined || at === null || at === undefined) return;
    const way = mark.buys ? 1 : -1;
    const tip = at + 4 * way;
    context.beginPath();
    context.moveTo(x, tip);
    context.lineTo(x + 6, tip + 10 * way);
    context.lineTo(x - 6, tip + 10 * way);
    context.closePath();
    context.strokeStyle = this.paints.paper;
    context.lineWidth = 3;
    context.stroke();
    context.fillStyle = mark.color;
    context.fill();
    context.lineWidth = 4;
    context.lineJoin = "round";
    const words = context.measureText(mark.size).width;
    const left = x + 10 + words > width ? x - 10 - words : x + 10;
    context.strokeText(mark.size, left, tip + 6 * way);
    context.fillText(mark.size, left, tip + 6 * way);
  }
}
