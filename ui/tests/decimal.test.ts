// Rows for exact decimals.
import { describe, expect, it } from "vitest";
import * as d from "../src/lib/decimal";

describe("arithmetic is exact", () => {
  it.each([
    ["add", d.add("0.1", "0.2"), "0.3"],
    ["add, scales differ", d.add("1", "0.00000001"), "1.00000001"],
    ["add below zero", d.add("-0.5", "0.2"), "-0.3"],
    ["sub", d.sub("60120.0", "60124.4"), "-4.4"],
    ["mul", d.mul("60120.0", "0.0500"), "3006.00000"],
    ["mul, more than a float holds", d.mul("123456789012345678.9", "9"), "1111111101111111110.1"],
    ["div cut", d.div("1", "3", 4), "0.3333"],
    ["div below zero, towards zero", d.div("-1", "3", 4), "-0.3333"],
  ])("%s", (_, got, wanted) => expect(got).toBe(wanted));

  it("never divides by zero", () => expect(() => d.div("1", "0.00", 2)).toThrow(RangeError));
  it.each(["", "1e5", "NaN", "1,5", "0x1", " 1"])("refuses %j from the app", (text) => expect(() => d.exact(text)).toThrow(RangeError));
});

describe("comparing", () => {
  it.each([
    ["1.10", "1.1", 0],
    ["0.9", "0.11", 1],
    ["-2", "-1", -1],
  ] as const)("%s and %s", (a, b, wanted) => expect(d.compare(a, b)).toBe(wanted));
});

describe("steps", () => {
  it.each([
    [d.floorTo("60124.47", "0.1"), "60124.40"],
    [d.floorTo("-0.05", "0.1"), "-0.10"],
    [d.ceilTo("60124.41", "0.1"), "60124.50"],
    [d.ceilTo("60124.40", "0.1"), "60124.40"],
    [d.fixed("0.99999", 2), "0.99"],
    [d.fixed("5", 4), "5.0000"],
    [d.rounded("0.125", 2), "0.13"],
    [d.rounded("-0.125", 2), "-0.13"],
    [d.trimmed("0.0500"), "0.05"],
    [d.trimmed("500"), "500"],
    [d.trimmed("5.000"), "5"],
  ])("%s", (got, wanted) => expect(got).toBe(wanted));

  it.each([
    ["0.0001", 4],
    ["0.01000000", 2],
    ["10", 0],
    ["1.000", 0],
  ])("a step of %s needs %i decimals", (step, wanted) => expect(d.places(step)).toBe(wanted));
  it("knows multiples", () => {
    expect(d.isMultiple("0.30", "0.1")).toBe(true);
    expect(d.isMultiple("0.35", "0.1")).toBe(false);
  });
});

describe("what a person types", () => {
  it.each([
    ["60 120.0", "60120.0"],
    ["60\u00a0120.0", "60120.0"],
    [".5", "0.5"],
    ["5.", "5"],
    ["\u22125", "-5"],
    ["1,5", null],
    ["1e5", null],
    ["", null],
    ["0." + "0".repeat(40) + "1", null],
  ])("%j is %j", (text, wanted) => expect(d.typed(text)).toBe(wanted));
});

describe("what is shown", () => {
  it.each([
    [d.shown("60124.5"), "60\u00a0124.5"],
    [d.shown("1234567.89", 1), "1\u00a0234\u00a0567.8"],
    [d.shown("-1234.5"), "\u22121\u00a0234.5"],
    [d.shown("999"), "999"],
    [d.signed("1.24", 2), "+1.24"],
    [d.signed("-1.24", 2), "\u22121.24"],
    [d.signed("0", 2), "0.00"],
  ])("%s", (got, wanted) => expect(got).toBe(wanted));
  it("can be pasted back", () => expect(d.typed(d.shown("-1234567.891"))).toBe("-1234567.891"));
  it.each([
    ["1", "4", 250],
    ["5", "4", 1000],
    ["0", "4", 0],
    ["1", "0", 0],
  ])("%s of %s is %i thousandths", (a, b, wanted) => expect(d.permille(a, b)).toBe(wanted));
});
