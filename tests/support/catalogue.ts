// A catalogue for tests that need no running program: the web models, and whatever the official API is said to list.
import { createCatalogue } from "../../src/gateway/catalogue.ts";
import type { Config } from "../../src/config/schema.ts";
import type { Catalogue, XaiModel } from "../../src/core/models.ts";

export interface CatalogueGiven {
  readonly listed?: readonly XaiModel[];
  readonly counts?: { readonly web: number; readonly xai: number };
  readonly routing?: Partial<Config["routing"]>;
}

export const aCatalogue = (given: CatalogueGiven = {}): Catalogue => {
  const listed = given.listed ?? [];
  return createCatalogue({
    listed: {
      find: (name) => listed.find(({ id, aliases }) => id === name || aliases.includes(name)),
      all: () => listed,
    },
    counts: () => given.counts ?? { web: 1, xai: listed.length },
    routing: () => ({ prefer: "web", failover: true, ...given.routing }),
  });
};
