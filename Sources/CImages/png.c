#include "include/apus_images.h"

#ifdef APUS_IMAGE_LIBRARIES

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const uint8_t *bytes;
  size_t left;
} source;

static void take(png_structp png, png_bytep to, size_t count) {
  source *from = png_get_io_ptr(png);
  if (count > from->left) png_error(png, "the file is cut short");
  memcpy(to, from->bytes, count);
  from->bytes += count;
  from->left -= count;
}

static void on_error(png_structp png, png_const_charp message) {
  apus_image *image = png_get_error_ptr(png);
  snprintf(image->message, sizeof image->message, "%s", message);
  png_longjmp(png, 1);
}

// A warning is a file that isn't right: checksums of chunks that can be left out, for one.
static void on_warning(png_structp png, png_const_charp message) { on_error(png, message); }

int apus_png_decode(const uint8_t *file, size_t count, size_t max_pixels, apus_image *image) {
  memset(image, 0, sizeof *image);
  source from = {file, count};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, image, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  // What is set after setjmp and read after a jump.
  png_bytep *volatile rows = NULL;
  if (!info || setjmp(png_jmpbuf(png))) {
    if (!info) snprintf(image->message, sizeof image->message, "libpng has no memory");
    png_destroy_read_struct(&png, &info, NULL);
    free((void *)rows);
    free(image->bytes);
    image->bytes = NULL;
    return 0;
  }
  png_set_read_fn(png, &from, take);
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
  png_read_info(png, info);
  image->width = png_get_image_width(png, info);
  image->height = png_get_image_height(png, info);
  if (image->width * image->height > max_pixels) {
    image->is_too_large = 1;
    png_error(png, "the header asks for too many pixels");
  }
  png_set_expand(png);    // palettes to colour, few bits to eight, a transparent colour to alpha
  png_set_scale_16(png);  // sixteen bits to eight
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  image->channels = png_get_channels(png, info);
  size_t line = png_get_rowbytes(png, info);
  image->count = line * image->height;
  image->bytes = malloc(image->count);
  rows = malloc(image->height * sizeof *rows);
  if (!image->bytes || !rows) png_error(png, "there is no memory for the pixels");
  for (size_t i = 0; i < image->height; i++) rows[i] = image->bytes + i * line;
  png_read_image(png, (png_bytepp)rows);
  png_read_end(png, NULL);
  png_destroy_read_struct(&png, &info, NULL);
  free((void *)rows);
  return 1;
}

#endif
