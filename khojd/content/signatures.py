"""What is no text: binary files by their first bytes, and by their extension before anything is read."""

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n", "png image"),
    (b"\xff\xd8\xff", "jpeg image"),
    (b"GIF87a", "gif image"),
    (b"GIF89a", "gif image"),
    (b"II*\0", "tiff image"),
    (b"MM\0*", "tiff image"),
    (b"8BPS", "photoshop image"),
    (b"RIFF", "riff media"),
    (b"OggS", "ogg media"),
    (b"ID3\x03", "mp3 audio"),
    (b"ID3\x04", "mp3 audio"),
    (b"fLaC", "flac audio"),
    (b"\x1aE\xdf\xa3", "matroska media"),
    (b"PK\x03\x04", "zip archive or office document"),
    (b"PK\x05\x06", "zip archive"),
    (b"\x1f\x8b", "gzip archive"),
    (b"BZh91AY&SY", "bzip2 archive"),
    (b"\xfd7zXZ\0", "xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (b"(\xb5/\xfd", "zstandard archive"),
    (b"Rar!\x1a\x07", "rar archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old office document"),
    (b"SQLite format 3\0", "sqlite database"),
    (b"\x7fELF", "program"),
    (b"\xca\xfe\xba\xbe", "program"),
    (b"\xcf\xfa\xed\xfe", "program"),
    (b"\0asm", "program"),
    (b"wOFF", "font"),
    (b"wOF2", "font"),
    (b"AT&TFORM", "djvu"),
    (b"-----BEGIN PGP MESSAGE-----", "encrypted"),
    (b"age-encryption.org/", "encrypted"),
    (b"$ANSIBLE_VAULT;", "encrypted"),
)

_EXTENSIONS: dict[str, str] = {
    extension: reason
    for reason, extensions in {
        "{} is not read yet": "pdf djvu epub mobi azw3 docx xlsx pptx odt ods odp doc xls ppt rtf pages numbers key ipynb one",
        "image": "png jpg jpeg gif bmp tif tiff webp heic heif avif ico svg psd xcf ai eps raw cr2 nef excalidraw drawio",
        "audio or video": "mp3 m4a aac flac ogg oga opus wav wma mid mp4 m4v mkv webm mov avi wmv mpg mpeg ogv",
        "archive": "zip gz tgz bz2 xz zst lz4 7z rar tar jar war iso dmg deb rpm apk whl cab",
        "encrypted": "gpg pgp age asc kdbx enc",
        "font": "ttf otf woff woff2 eot",
        "program or its data": "exe dll so dylib o a lib obj class pyc pyo elc eln wasm bin img",
        "database": "db sqlite sqlite3 db3 mdb accdb parquet feather npy npz pkl pickle h5 hdf5 onnx safetensors pt pth gguf",
        "editor's swap file": "swp swo swn un~",
    }.items()
    for extension in extensions.split()
}


def binary_kind(data: bytes) -> str:
    """What kind of binary file starts like this, "" when none is recognised."""
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    return "iso media" if data[4:8] == b"ftyp" else ""


def skipped_extension(extension: str) -> str | None:
    """Why files with this extension (lower case, without its dot) are not read, None when they may be."""
    reason = _EXTENSIONS.get(extension)
    if reason is None:
        return None
    return reason.format(extension) if "{}" in reason else f"binary file ({extension}: {reason})"
