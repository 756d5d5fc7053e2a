// Writes pictures as items of the hosted tool `image_generation`: each with its previews and its bytes. Knows no event.
// Invariant: an item is closed as completed with its bytes, or as failed without.
import type { ItemDesk, ItemPlace } from "./responses-desk.ts";
import type { ImageGenerationItem } from "./responses-object.ts";

export interface DrawingWriter {
  preview(base64: string): void;
  complete(base64: string): void;
  /** Ends a picture whose bytes have not come. */
  close(): void;
}

interface OpenPicture {
  readonly place: ItemPlace;
  readonly item: ImageGenerationItem;
  previews: number;
}

export const createDrawingWriter = (desk: ItemDesk): DrawingWriter => {
  let current: OpenPicture | null = null;

  const frame = ({ place }: OpenPicture, step: string, fields: object = {}) => {
    const { itemId, outputIndex } = place;
    desk.sink.frame(`response.image_generation_call.${step}`, {
      item_id: itemId,
      output_index: outputIndex,
      ...fields,
    });
  };
  const open = (): OpenPicture => {
    if (current !== null) return current;
    const place = desk.place("image_generation_call");
    const item: ImageGenerationItem = {
      id: place.itemId,
      type: "image_generation_call",
      status: "in_progress",
      result: null,
    };
    const picture: OpenPicture = { place, item, previews: 0 };
    current = picture;
    desk.added(place, item);
    frame(picture, "in_progress");
    item.status = "generating";
    frame(picture, "generating");
    return picture;
  };

  return {
    preview(base64) {
      const picture = open();
      frame(picture, "partial_image", { partial_image_index: picture.previews++, partial_image_b64: base64 });
    },
    complete(base64) {
      const picture = open();
      picture.item.status = "completed";
      picture.item.result = base64;
      frame(picture, "completed");
      desk.done(picture.place, picture.item);
      current = null;
    },
    close() {
      if (current === null) return;
      current.item.status = "failed";
      desk.done(current.place, current.item);
      current = null;
    },
  };
};
