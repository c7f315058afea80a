// Keeps the focus inside a dialog. Invariant: on leaving, focus returns to what had it, if it is still there.
const CAN_FOCUS =
  'button:not(:disabled), [href], input:not(:disabled), select:not(:disabled), textarea:not(:disabled), [tabindex]:not([tabindex="-1"])';

export const focusables = (box: ParentNode) => [...box.querySelectorAll<HTMLElement>(CAN_FOCUS)];

export function trapFocus(box: HTMLElement): () => void {
  const before = document.activeElement instanceof HTMLElement ? document.activeElement : null;
  if (!box.contains(before)) (box.querySelector<HTMLElement>("[data-autofocus]") ?? focusables(box)[0] ?? box).focus();

  function onkeydown(event: KeyboardEvent) {
    if (event.key !== "Tab") return;
    const inside = focusables(box);
    const [first, last] = [inside[0], inside.at(-1)];
    if (!first || !last) return event.preventDefault();
    const at = document.activeElement;
    if (event.shiftKey && (at === first || at === box)) {
      event.preventDefault();
      last.focus();
    } else if (!event.shiftKey && at === last) {
      event.preventDefault();
      first.focus();
    }
  }
  function onfocusin(event: FocusEvent) {
    const target = event.target;
    // A later dialog has a trap of its own.
    if (!(target instanceof HTMLElement) || box.contains(target) || target.closest('[role="dialog"]')) return;
    (focusables(box)[0] ?? box).focus();
  }
  box.addEventListener("keydown", onkeydown);
  document.addEventListener("focusin", onfocusin);
  return () => {
    box.removeEventListener("keydown", onkeydown);
    document.removeEventListener("focusin", onfocusin);
    if (before?.isConnected) before.focus();
  };
}
