// One turn of a conversation over the official API as a stream of events.
// Never throws once started: whatever goes wrong is the last event.
import { GatewayError } from "../../core/errors.ts";
import type { EventBatch, GenerationStream } from "../../core/events.ts";
import type { XaiModel } from "../../core/models.ts";
import type { GenerationRequest } from "../../core/request.ts";
import { pullStream } from "../../lib/pull.ts";
import type { ChatCall } from "../port.ts";
import type { XaiClient } from "./client.ts";

export const createGenerate =
  (_deps: { client: XaiClient }) =>
  (_request: GenerationRequest, _call: ChatCall<XaiModel>): GenerationStream => {
    let batch: EventBatch | null = [
      { type: "failure", error: new GatewayError("model_not_supported", "Not served yet.") },
    ];
    return pullStream(
      async () => {
        const told = batch;
        batch = null;
        return told;
      },
      () => {},
    );
  };
