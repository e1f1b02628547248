DROP TABLE pack_files;
DROP TABLE packs;
