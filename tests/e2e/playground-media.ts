// What the tests of the playground's pages of pictures, clips and voice have in common. Knows no page.
import type axe from "axe-core";
import type { Page } from "playwright-core";
import type { Playground } from "./playground-site.ts";

export const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

const checker = await Bun.file(Bun.resolveSync("axe-core/axe.min.js", import.meta.dir)).text();

export const seriousFindings = async (page: Page): Promise<string[]> => {
  await page.evaluate(checker);
  return page.evaluate(async () => {
    const { axe: loaded } = globalThis as unknown as { axe: typeof axe };
    const { violations } = await loaded.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
  });
};

/** Calls that the simulated upstream has open, whatever the gateway thinks of them. */
export const openUpstream = async (site: Playground): Promise<number> => {
  const [, simulator] = await site.gateway.waitForOutput(/Simulator:\s+(http:\S+)/);
  const { open } = (await (await fetch(`${simulator}/__sim/stats`)).json()) as { open: { total: number } };
  return open.total;
};
