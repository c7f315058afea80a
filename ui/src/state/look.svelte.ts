// Theme, density, colours, motion and shortcuts as a person chose them. Invariant: the document's data attributes always say what is in force.
import type { Commands, Settings } from "../bindings/contract";

const DENSITIES = ["compact", "standard", "relaxed"] as const;

export class Look {
  settings: Settings = $state.raw({ theme: "system", density: "standard", pnl: "blue-orange", motion: "system", single_keys: true });
  /** What "system" means now. */
  private systemLight = $state(false);

  constructor(private backend: Commands) {
    const query = globalThis.matchMedia?.("(prefers-color-scheme: light)");
    this.systemLight = query?.matches ?? false;
    query?.addEventListener?.("change", (event) => {
      this.systemLight = event.matches;
      this.apply();
    });
  }

  get theme(): "dark" | "light" {
    if (this.settings.theme !== "system") return this.settings.theme;
    return this.systemLight ? "light" : "dark";
  }
  get still(): boolean {
    return this.settings.motion === "reduced" || (globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false);
  }

  take(settings: Settings): void {
    this.settings = settings;
    this.apply();
  }
  async change(part: Partial<Settings>): Promise<void> {
    this.take({ ...this.settings, ...part });
    await this.backend.settings({ settings: this.settings });
  }
  nextDensity(): Promise<void> {
    const next = DENSITIES[(DENSITIES.indexOf(this.settings.density) + 1) % DENSITIES.length]!;
    return this.change({ density: next });
  }

  private apply() {
    const root = document.documentElement;
    root.dataset.theme = this.theme;
    root.dataset.density = this.settings.density;
    root.dataset.pnl = this.settings.pnl;
    root.dataset.motion = this.settings.motion;
  }
}
