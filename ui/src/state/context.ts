// How components reach the desk they belong to.
import { createContext } from "svelte";
import type { Shell } from "./shell.svelte";

export const [useShell, giveShell] = createContext<Shell>();
