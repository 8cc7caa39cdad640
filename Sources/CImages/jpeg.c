#include "include/apus_images.h"

#ifdef APUS_IMAGE_LIBRARIES

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// After stdio, of which it needs FILE.
#include <jpeglib.h>

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf place;
  apus_image *image;
} handler;

static void on_error(j_common_ptr codec) {
  handler *h = (handler *)codec->err;
  char text[JMSG_LENGTH_MAX];
  codec->err->format_message(codec, text);
  snprintf(h->image->message, sizeof h->image->message, "%s", text);
  longjmp(h->place, 1);
}

// A warning is a file that isn't right: one that is cut short would be filled with grey.
static void on_message(j_common_ptr codec, int level) {
  if (level < 0) on_error(codec);
}

static void silent(j_common_ptr codec) { (void)codec; }

static struct jpeg_error_mgr *prepare(handler *h, apus_image *image) {
  memset(image, 0, sizeof *image);
  h->image = image;
  struct jpeg_error_mgr *manager = jpeg_std_error(&h->base);
  manager->error_exit = on_error;
  manager->emit_message = on_message;
  manager->output_message = silent;
  return manager;
}

int apus_jpeg_decode(const uint8_t *file, size_t count, size_t max_pixels, apus_image *image) {
  struct jpeg_decompress_struct codec;
  handler h;
  memset(&codec, 0, sizeof codec);
  codec.err = prepare(&h, image);
  if (setjmp(h.place)) {
    jpeg_destroy_decompress(&codec);
    free(image->bytes);
    image->bytes = NULL;
    return 0;
  }
  jpeg_create_decompress(&codec);
  jpeg_mem_src(&codec, file, count);
  jpeg_read_header(&codec, TRUE);
  image->width = codec.image_width;
  image->height = codec.image_height;
  if (image->width * image->height > max_pixels) {
    image->is_too_large = 1;
    snprintf(image->message, sizeof image->message, "the header asks for too many pixels");
    longjmp(h.place, 1);
  }
  // Four inks would need a profile to become colours.
  codec.out_color_space = codec.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_start_decompress(&codec);
  image->channels = codec.output_components;
  size_t line = image->width * image->channels;
  image->count = line * image->height;
  image->bytes = malloc(image->count);
  if (!image->bytes) {
    snprintf(image->message, sizeof image->message, "there is no memory for the pixels");
    longjmp(h.place, 1);
  }
  while (codec.output_scanline < codec.output_height) {
    JSAMPROW row = image->bytes + codec.output_scanline * line;
    jpeg_read_scanlines(&codec, &row, 1);
  }
  jpeg_finish_decompress(&codec);
  jpeg_destroy_decompress(&codec);
  return 1;
}

int apus_jpeg_encode(const uint8_t *pixels, size_t width, size_t height, int channels, int quality, apus_image *image) {
  struct jpeg_compress_struct codec;
  handler h;
  unsigned long count = 0;
  memset(&codec, 0, sizeof codec);
  codec.err = prepare(&h, image);
  if (setjmp(h.place)) {
    jpeg_destroy_compress(&codec);
    free(image->bytes);
    image->bytes = NULL;
    return 0;
  }
  jpeg_create_compress(&codec);
  jpeg_mem_dest(&codec, &image->bytes, &count);
  codec.image_width = width;
  codec.image_height = height;
  codec.input_components = channels;
  codec.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, quality, TRUE);
  jpeg_start_compress(&codec, TRUE);
  while (codec.next_scanline < codec.image_height) {
    JSAMPROW row = (JSAMPROW)(pixels + codec.next_scanline * width * channels);
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  image->width = width;
  image->height = height;
  image->channels = channels;
  image->count = count;
  return 1;
}

#endif
