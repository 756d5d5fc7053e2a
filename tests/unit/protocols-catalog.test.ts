import { expect, test } from "bun:test";
import { CATALOGUE } from "../../src/core/models.ts";
import { GatewayError } from "../../src/core/errors.ts";
import { listModels, retrieveModel } from "../../src/protocols/openai/catalog.ts";
import { aCatalogue } from "../support/catalogue.ts";

const catalogue = aCatalogue();

test("lists every id of the served kinds, in the catalogue's order, without aliases", () => {
  const list = listModels(catalogue, { kinds: ["chat", "image"] });
  expect(list.object).toBe("list");
  expect(list.data.map((model) => model.id)).toEqual(
    CATALOGUE.filter((model) => model.kind === "chat" || model.kind === "image").map((model) => model.id),
  );
  expect(list.data.some((model) => model.id === "grok-4.20")).toBe(false);
  expect(listModels(catalogue, { kinds: [] }).data).toEqual([]);
});

test("a model object has the official keys and ours, and does not change between calls", () => {
  const grok4 = listModels(catalogue, { kinds: ["chat"] }).data.find((model) => model.id === "grok-4");
  expect(grok4).toEqual({
    id: "grok-4",
    object: "model",
    created: 1752019200,
    owned_by: "xai",
    display_name: "Grok 4",
    description: "Grok 4; the site chooses how long to think.",
    capabilities: ["chat"],
    upstreams: ["web"],
    tier: "basic",
  });
  expect(listModels(catalogue, { kinds: ["chat"] })).toEqual(listModels(catalogue, { kinds: ["chat"] }));
});

test.each([
  ["grok-chat-expert", ["chat", "reasoning"]],
  ["grok-imagine-image", ["image"]],
  ["grok-imagine-image-edit", ["image_edit"]],
  ["grok-imagine-video", ["video"]],
])("capabilities of %s", (id, capabilities) => {
  expect(retrieveModel(catalogue, { name: id, kinds: ["chat", "image", "image-edit", "video"] }).capabilities).toEqual(
    capabilities,
  );
});

test("an alias is retrieved under the name that was asked for", () => {
  expect(retrieveModel(catalogue, { name: "grok-4.20", kinds: ["chat"] })).toMatchObject({
    id: "grok-4.20",
    display_name: "Grok 4.20 Beta",
  });
});

test.each([
  ["nope", ["chat"]],
  ["GROK-4", ["chat"]],
  ["grok-imagine-video", ["chat"]],
] as const)("%s of %j is not found", (name, kinds) => {
  const thrown = (() => {
    try {
      return retrieveModel(catalogue, { name, kinds });
    } catch (error) {
      return error;
    }
  })();
  expect(thrown).toBeInstanceOf(GatewayError);
  expect(thrown).toMatchObject({ code: "model_not_found", param: "model" });
});
