"""What readers of other projects open: one file per format, each a function of the clips that lists the files to make.

manifest -> rows -> files of a format -> a folder that holds exactly these
definition          voxcpm, nemo...      folder
"""
