// Pictures through libpng and libjpeg, whose errors jump: here is where they land. With the package's trait ImageLibraries; without it
// nothing here is defined. (Not hidden either: Swift's importer does not see the settings of C targets.)
#ifndef APUS_IMAGES_H
#define APUS_IMAGES_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  size_t width, height;
  int channels;         // 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha
  uint8_t *bytes;       // [height, width, channels], or a file; from malloc
  size_t count;         // of bytes
  int is_too_large;     // the header asks for more than was allowed
  char message[256];    // why it failed; what the library says
} apus_image;

// Each returns 1, or 0 with a message; then there are no bytes.
int apus_png_decode(const uint8_t *file, size_t count, size_t max_pixels, apus_image *image);
int apus_jpeg_decode(const uint8_t *file, size_t count, size_t max_pixels, apus_image *image);
// From [height, width, channels], 1 or 3 channels, to a file in `image->bytes`.
int apus_jpeg_encode(const uint8_t *pixels, size_t width, size_t height, int channels, int quality, apus_image *image);

#endif
