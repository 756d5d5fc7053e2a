// Which models are served at present and by whom: the web catalogue and what the keys of the official API list, as one. One name
// may be served by both; the operator's preference and a qualified name (`web/…`, `xai/…`) decide who goes first.
// Knows no account. Invariant: what is found has at least one offer, and failing over never reaches a kind that is not allowed.
import type { Config } from "../config/schema.ts";
import { CATALOGUE, findModel, type Catalogue, type Model, type PublicModel, type XaiModel } from "../core/models.ts";

export interface CatalogueDeps {
  /** Models of the official API that some key lists. */
  readonly listed: { find(name: string): XaiModel | undefined; all(): readonly XaiModel[] };
  /** How many accounts of either kind there are. */
  readonly counts: () => { readonly web: number; readonly xai: number };
  readonly routing: () => Config["routing"];
}

/** Web accounts have a model of their own for changing pictures; the official API changes them with this one. */
const EDITS: ReadonlyMap<string, string> = new Map([["grok-imagine-image-edit", "grok-imagine-image"]]);

const WEB = "web/";
const XAI = "xai/";

const served = (offers: readonly Model[]): PublicModel | undefined => {
  const [first] = offers;
  if (!first) return undefined;
  const { id, aliases, kind, name, description, reasoning, created } = first;
  return { id, aliases, kind, name, description, reasoning, created, offers };
};

const only = (model: Model | undefined): PublicModel | undefined => served(model ? [model] : []);

export const createCatalogue = ({ listed, counts, routing }: CatalogueDeps): Catalogue => {
  /** Without any account the web models are shown all the same: that is what the program is for. */
  const showsWeb = () => {
    const { web, xai } = counts();
    return web > 0 || xai === 0;
  };
  const inOrder = (web: Model | undefined, xai: Model | undefined): readonly Model[] => {
    if (!web || !xai) return [web ?? xai].filter((model) => model !== undefined);
    if ((web.kind !== xai.kind && !EDITS.has(web.id)) || !showsWeb()) return [showsWeb() ? web : xai];
    const { prefer, failover } = routing();
    const order = prefer === "xai" ? [xai, web] : [web, xai];
    return failover ? order : order.slice(0, 1);
  };
  return {
    find(name) {
      if (name.startsWith(WEB)) return only(findModel(name.slice(WEB.length)));
      if (name.startsWith(XAI)) return only(listed.find(name.slice(XAI.length)));
      const web = findModel(name);
      // Names that only this gateway knows stand for the models that they have always meant.
      const xai = listed.find(EDITS.get(web?.id ?? name) ?? name) ?? (web ? listed.find(web.id) : undefined);
      const found = served(inOrder(web, xai));
      // A name for changes says so, whoever makes them.
      return found && web && EDITS.has(web.id) ? { ...found, id: web.id, kind: web.kind } : found;
    },
    all() {
      const web = showsWeb() ? CATALOGUE : [];
      const known = new Set(web.map(({ id }) => id));
      const offers = [
        ...web.map((model) => inOrder(model, listed.find(model.id))),
        ...listed.all().flatMap((model) => (known.has(model.id) ? [] : [[model]])),
      ];
      return offers.flatMap((some) => served(some) ?? []);
    },
  };
};
