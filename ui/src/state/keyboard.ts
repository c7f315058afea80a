// Carries out what the keyboard map says. Invariant: the kill chord works everywhere, dialogs included; everything else waits while a dialog is open.
import { actionOf, chordOf, type Action } from "../lib/keys";
import { VIEWS, type Shell } from "./shell.svelte";

const PANELS = "[data-panel]";
const FILTER = "[data-panel-filter]";
const DIALOG = '[aria-modal="true"]';
const CAN_FOCUS =
  'button:not(:disabled), [href], input:not(:disabled), select:not(:disabled), textarea:not(:disabled), [tabindex]:not([tabindex="-1"])';

export function moveToPanel(step: 1 | -1, root: ParentNode = document): void {
  const panels = [...root.querySelectorAll<HTMLElement>(PANELS)];
  if (panels.length === 0) return;
  const at = panels.findIndex((panel) => panel.contains(document.activeElement));
  const next = panels[(at + step + panels.length) % panels.length] ?? panels[0]!;
  (next.querySelector<HTMLElement>("[data-panel-focus]") ?? next.querySelector<HTMLElement>(CAN_FOCUS) ?? next).focus();
}

/** To the next screen of the rail, round and round. */
export function moveToView(shell: Shell, step: 1 | -1): void {
  const at = VIEWS.indexOf(shell.view);
  shell.view = VIEWS[(at + step + VIEWS.length) % VIEWS.length] ?? shell.view;
}

/** To the filter of the panel with the focus, else to the first one on the screen. */
export function toFilter(root: ParentNode = document): void {
  const here = document.activeElement?.closest(PANELS)?.querySelector<HTMLInputElement>(FILTER);
  const field = here ?? root.querySelector<HTMLInputElement>(FILTER);
  field?.focus();
  field?.select();
}

export function onKeyDown(shell: Shell, event: KeyboardEvent): void {
  const action = actionOf(event, shell.entry.look.settings.single_keys);
  if (action === null) return;
  const inDialog =
    shell.overlay !== null || shell.kill.open || shell.entry.prompt.asking !== null || document.querySelector(DIALOG) !== null;
  if (action === "kill-hold") {
    event.preventDefault();
    if (!event.repeat) shell.kill.press();
    return;
  }
  if (action === "lock" || !inDialog || (action === "palette" && shell.overlay === "palette")) {
    event.preventDefault();
    if (!event.repeat || action.startsWith("panel")) act(shell, action);
  }
}

export function onKeyUp(shell: Shell, event: KeyboardEvent): void {
  const chord = chordOf(event);
  if (event.key === "F12" || event.key === "Backspace" || chord.startsWith("Control") || event.key === "Control" || event.key === "Shift")
    shell.kill.release();
}

export function act(shell: Shell, action: Action): void {
  switch (action) {
    case "palette":
      shell.overlay = shell.overlay === "palette" ? null : "palette";
      break;
    case "lock":
      void shell.lock();
      break;
    case "shortcuts":
      shell.overlay = "shortcuts";
      break;
    case "settings":
      shell.view = "settings";
      break;
    case "pause":
      shell.market.pause();
      break;
    case "filter":
      toFilter();
      break;
    case "density":
      void shell.entry.look.nextDensity().catch((reason: unknown) => shell.notices.fail(reason, "The density was not saved"));
      break;
    case "cancel-last":
      void shell.orders.cancelLast();
      break;
    case "cancel-all":
      void shell.orders.cancelAll(shell.instrument?.symbol);
      break;
    case "submit":
      if (shell.view === "trade") void shell.ticket.submit();
      break;
    case "panel-next":
      moveToPanel(1);
      break;
    case "panel-previous":
      moveToPanel(-1);
      break;
    case "view-next":
      moveToView(shell, 1);
      break;
    case "view-previous":
      moveToView(shell, -1);
      break;
    case "kill-hold":
      shell.kill.show();
      break;
    default:
      shell.view = VIEWS[Number(action.slice(-1)) - 1] ?? shell.view;
  }
}
