// How many decimals an instrument's numbers are shown with. Invariant: numbers arrive without zeros at their end; every column fills them alike.
import type { Checks, Decimal, Instrument } from "../bindings/contract";
import { places, shown } from "./decimal";

/** Decimals of prices and of quantities. */
export type Grain = { price: number; lot: number };
export const QUOTE_PLACES = 2;
const FEE_PLACES = 4;
const ASSET_PLACES = 8; // of what no instrument here gives a step

const UNKNOWN: Grain = { price: 2, lot: 4 };
export const grainOf = (instrument: Pick<Instrument, "price" | "lot"> | null | undefined): Grain =>
  instrument ? { price: places(instrument.price.tick), lot: places(instrument.lot.step) } : UNKNOWN;

/** Decimals of an amount of an asset: a quote asset is money, a base asset has its lot step. */
export function assetPlaces(asset: string, instruments: readonly Instrument[]): number {
  if (instruments.some((instrument) => instrument.quote === asset)) return QUOTE_PLACES;
  const traded = instruments.find((instrument) => instrument.base === asset);
  return traded ? places(traded.lot.step) : ASSET_PLACES;
}

/** A fee is small: money with four decimals, anything else as fine as venues count. */
export const feeWords = (fee: Decimal, asset: string, instruments: readonly Instrument[]) =>
  `${shown(fee, instruments.some((instrument) => instrument.quote === asset) ? FEE_PLACES : ASSET_PLACES)}\u00a0${asset}`;

const NOT_KNOWN = "–";
/** What an order costs, in words. */
export function costWords(checks: Checks | null, quote: string, instruments: readonly Instrument[]) {
  const after = checks?.balance_after ?? null;
  return {
    notional: checks?.notional == null ? NOT_KNOWN : `${shown(checks.notional, QUOTE_PLACES)}\u00a0${quote}`,
    fee: checks?.fee == null ? NOT_KNOWN : feeWords(checks.fee, checks.fee_asset, instruments),
    after:
      !checks || after === null
        ? NOT_KNOWN
        : `${shown(after, assetPlaces(checks.balance_asset, instruments))}\u00a0${checks.balance_asset}`,
  };
}
