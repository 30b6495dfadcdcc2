"""Pictures that Pillow does not write itself, byte by byte."""

import io
import struct
import zlib

import numpy as np
from PIL import Image


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, depth: int, color: int, row: bytes, *chunks: bytes) -> bytes:
    """A PNG of one row; ``color`` is 0 for gray and 2 for RGB, ``chunks`` come before the pixels."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, depth, color, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress(b"\0" + row))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + png_chunk(b"IEND", b"")


def tiff(width: int, bits: int, photometric: int, row: bytes, sample_format: int = 1, samples: int = 1) -> bytes:
    """An uncompressed little-endian TIFF of one row."""
    tags = {256: width, 257: 1, 258: bits, 259: 1, 262: photometric, 273: 0, 277: samples, 278: 1, 279: len(row)}
    tags[339] = sample_format
    tags[273] = 8 + 2 + 12 * len(tags) + 4  # where the row begins
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0) + row


def gif_with_small_frame(transparent: int | None = None) -> bytes:
    """4 x 4 pixels, whose first frame draws only the 2 x 2 in their middle, in blue (0)."""
    palette = bytes([0, 0, 255, 0, 255, 0, 255, 0, 0, 9, 9, 9])
    frame = Image.new("P", (2, 2), 0)
    frame.putpalette(palette)
    file = io.BytesIO()
    frame.save(file, "GIF")
    whole = file.getvalue()
    start = whole.index(b"\x2c" + struct.pack("<HHHH", 0, 0, 2, 2)) + 9
    own_palette = 3 * (2 << (whole[start] & 7)) if whole[start] & 0x80 else 0
    control = b"" if transparent is None else b"\x21\xf9\x04" + struct.pack("<BHBB", 1, 0, transparent, 0)
    header = b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0x91, 1, 0) + palette
    return header + control + b"\x2c" + struct.pack("<HHHHB", 1, 1, 2, 2, 0) + whole[start + 1 + own_palette :]


def jpeg_with_empty_scans(count: int) -> bytes:
    """A progressive JPEG in which a scan that adds nothing is repeated."""
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    end = data.rindex(b"\xff\xd9")
    return data[:end] + data[last:end] * count + data[end:]


def display_p3_profile() -> bytes:
    """An ICC profile with the colours of Display P3 (white D65 brought to D50) and sRGB's curve, close to gamma 2.2."""

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    curve = np.linspace(0, 1, 1024)
    curve = np.where(curve <= 0.04045, curve / 12.92, ((curve + 0.055) / 1.055) ** 2.4)
    gamma = b"curv\0\0\0\0" + struct.pack(">I", 1024) + np.rint(curve * 65535).astype(">u2").tobytes()
    text = b"Display P3\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(79),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.51512, 0.2412, -0.00105),
        b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.1571, 0.06657, 0.78407),
        b"rTRC": gamma,
        b"gTRC": gamma,
        b"bTRC": gamma,
    }
    table, content, position = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        value += bytes(-len(value) % 4)
        table += name + struct.pack(">II", position + len(content), len(value))
        content += value
    header = struct.pack(">I4sI4s4s4s", position + len(content), bytes(4), 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + content
