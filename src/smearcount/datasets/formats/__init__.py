"""Annotated data sets on disk: COCO, VOC and YOLO, read into one form and written from it."""
